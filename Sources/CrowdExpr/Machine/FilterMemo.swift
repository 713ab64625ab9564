import CrowdCore

/// What `filter` made of a list that only grows, so that the next run looks at the new elements alone.
///
/// A condition such as `len(filter(queue.Queue, {…})) > 4` is asked after every event; without this it costs the square of
/// a patient attacker's events.
public final class FilterMemo {
    private struct Kept {
        let node: ObjectIdentifier
        /// How many elements of the list were looked at.
        var seen: Int
        let list: ListValue
    }
    private var kept: [Kept] = []

    public init() {}

    func filter(
        _ node: Transformation, _ items: [Value], _ ask: (Value, Int) throws(ExprError) -> Bool
    ) throws(ExprError) -> ListValue {
        let id = ObjectIdentifier(node)
        let place = kept.firstIndex { $0.node == id } ?? kept.count
        if place == kept.count { kept.append(Kept(node: id, seen: 0, list: ListValue([]))) }
        let list = kept[place].list
        for index in kept[place].seen..<max(items.count, kept[place].seen) {
            if try ask(items[index], index) { list.items.append(items[index]) }
            kept[place].seen = index + 1
        }
        return list
    }
}
