import CrowdCore
import CrowdText

/// `any(items, predicate)` over a list that was known at load: what can be worked out ahead of the events.
struct KnownList {
    private let items: [Value]
    private let predicate: Node
    private let level: Int

    /// Settles what looks at nothing but the element: of `len(#) > 0 && …` the items that pass and the rest are left.
    init(_ items: [Value], _ predicate: Node, level: Int) {
        var (items, predicate) = (items, predicate)
        while let both = predicate as? And,
            let passes = KnownList.each(
                items, both.left, level, { node, machine throws(ExprError) in try node.bool(machine) })
        {
            items = zip(items, passes).filter(\.1).map(\.0)
            predicate = both.right
        }
        (self.items, self.predicate, self.level) = (items, predicate, level)
    }

    /// What answers without going through the list.
    func node(at offset: Int) -> Node? { membership(offset) ?? ranges(offset) ?? patterns(offset) }

    /// Of something made of the element, looked for in a text that does not depend on the element.
    var need: NeedleNeed? {
        switch predicate {
        case let test as TextTestNode where test.isText: return NeedleNeed(test.left, texts(test.right))
        case let test as TextEqual where !test.negated:
            return NeedleNeed(test.left, texts(test.right)) ?? NeedleNeed(test.right, texts(test.left))
        case let conditional as Conditional where conditional.no.isFalse:
            return KnownList(items, conditional.condition, level: level).need
        default: return nil
        }
    }

    /// `{text == #}`: a look-up in the set of the items.
    private func membership(_ offset: Int) -> Node? {
        guard let test = predicate as? TextEqual, !test.negated, isElement(test.right), test.left.view != nil,
            let texts = texts(test.right)
        else { return nil }
        return InTextSet(test.left, TextSet(texts), isText: true, at: offset)
    }

    /// `{IpInRange(text, #)}`; an item that is no range has no address.
    private func ranges(_ offset: Int) -> Node? {
        guard let call = predicate as? Call, call.function.name == "IpInRange", call.arguments.count == 2,
            call.arguments[0].isOfEvent, isElement(call.arguments[1]), !items.isEmpty,
            let texts = texts(call.arguments[1])
        else { return nil }
        return AddressInRanges(call.arguments[0], texts.compactMap { IPRange(ascii: $0.buffer) }, at: offset)
    }

    /// `{text matches #}`; a wrong pattern among them is left to the time when it is used.
    private func patterns(_ offset: Int) -> Node? {
        guard let test = predicate as? MatchesComputed, test.subject.view != nil, let texts = texts(test.pattern),
            let patterns = try? PatternSet(texts.map { String($0) })
        else { return nil }
        return MatchesAny(test.subject, patterns, at: offset)
    }

    private func isElement(_ node: Node) -> Bool { (node as? Element)?.isElement(of: level) == true }

    /// The text that `node` is for each of the items, whose own texts live as long as the process; nil when it depends on
    /// more than the element.
    private func texts(_ node: Node) -> [ByteSlice]? {
        KnownList.each(items, node, level) { node, machine throws(ExprError) in
            let text = try node.text(machine)
            return isElement(node) ? text : Immortal.copy(text)
        }
    }

    /// What `node` gives for each of the items; nil when it depends on more than the element, or fails for one.
    private static func each<Result>(
        _ items: [Value], _ node: Node, _ level: Int, _ compute: (Node, Machine) throws(ExprError) -> Result
    ) -> [Result]? {
        guard node.isOfElement(level) else { return nil }
        let event = Event(keys: KeyTable(limit: 0))
        let machine = Machine(event: event)
        var results: [Result] = []
        for item in items {
            machine.begin(locals: 0, scopes: level + 1)
            machine.scopes[level].element = item
            guard let result = try? compute(node, machine) else { return nil }
            results.append(result)
        }
        return results
    }
}
