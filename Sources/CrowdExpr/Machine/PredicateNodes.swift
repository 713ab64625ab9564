import CrowdCore

/// Functions that ask a predicate about each element of a list.
enum PredicateNodes {
    static func make(_ parts: PredicateParts, _ need: NeedleNeed?, askedOf table: NeedleTable, at offset: Int) -> Node {
        switch parts.name {
        case "any", "all", "none", "one": return Quantifier(parts, need, askedOf: table, at: offset)
        case "reduce": return Reduce(parts, at: offset)
        case "filter":
            return Transformation(parts, isOfElement: parts.predicate?.isOfElement(parts.level) ?? false, at: offset)
        case "map", "sortBy", "groupBy": return Transformation(parts, isOfElement: false, at: offset)
        default: return Search(parts, at: offset)
        }
    }
}

struct PredicateParts {
    let name: String
    let list: Node
    /// Absent: the element itself.
    let predicate: Node?
    let extra: Node?
    let level: Int
}

/// What the predicate functions share: the loop over the list, with the element where `#` finds it.
class PredicateNode: Node {
    let parts: PredicateParts

    init(_ parts: PredicateParts, at offset: Int) {
        self.parts = parts
        super.init(at: offset)
    }

    func items(_ machine: Machine) throws(ExprError) -> ArraySlice<Value> {
        try parts.list.elements(machine, for: self)
    }

    func noList(_ value: Value) -> ExprError { error("builtin \(parts.name) takes only array (got \(value.kind))") }

    func ask(_ item: Value, _ index: Int, _ machine: Machine) throws(ExprError) -> Bool {
        guard let predicate = parts.predicate else { return try Constant(item, at: offset).bool(machine) }
        try enter(item, index, machine)
        return try predicate.bool(machine)
    }

    func map(_ item: Value, _ index: Int, _ machine: Machine) throws(ExprError) -> Value {
        guard let predicate = parts.predicate else { return item }
        try enter(item, index, machine)
        return try predicate.value(machine)
    }

    private func enter(_ item: Value, _ index: Int, _ machine: Machine) throws(ExprError) {
        try located { () throws(ValueError) in try machine.step() }
        machine.scopes[parts.level].element = item
        machine.scopes[parts.level].index = index
    }
}

/// `any`, `all`, `none`, `one`
final class Quantifier: PredicateNode {
    /// Unless one of the list's texts is in the field that `any` looks at, no turn gives true.
    private let need: NeedleNeed?
    private let question: NeedleQuestion?

    init(_ parts: PredicateParts, _ need: NeedleNeed?, askedOf table: NeedleTable, at offset: Int) {
        self.need = need
        question = need.flatMap { table.ask($0) }
        super.init(parts, at: offset)
    }

    override var needs: [[NeedleNeed]] { need.map { [[$0]] } ?? [] }

    override func value(_ machine: Machine) throws(ExprError) -> Value { .bool(try bool(machine)) }

    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        if let question, !machine.mayHold(question) { return false }
        var found = 0
        let stopAt = parts.name == "one" ? 2 : 1
        let wanted = parts.name != "all"
        for (index, item) in try items(machine).enumerated() where try ask(item, index, machine) == wanted {
            found += 1
            if found == stopAt { break }
        }
        switch parts.name {
        case "any": return found > 0
        case "one": return found == 1
        default: return found == 0
        }
    }
}

/// `count`, `sum`, `find`, `findLast`, `findIndex`, `findLastIndex`
final class Search: PredicateNode {
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let items = try items(machine)
        switch parts.name {
        case "count":
            var count: Int64 = 0
            for (index, item) in items.enumerated() where try ask(item, index, machine) { count += 1 }
            return .int(count)
        case "sum": return try sum(items, machine)
        case "find": return try find(items, items.indices, machine).map { items[$0] } ?? .null
        case "findLast": return try find(items, items.indices.reversed(), machine).map { items[$0] } ?? .null
        case "findIndex": return place(try find(items, items.indices, machine), in: items)
        default: return place(try find(items, items.indices.reversed(), machine), in: items)
        }
    }

    private func find(
        _ items: ArraySlice<Value>, _ order: some Swift.Sequence<Int>, _ machine: Machine
    ) throws(ExprError) -> Int? {
        for index in order where try ask(items[index], index - items.startIndex, machine) { return index }
        return nil
    }

    private func place(_ index: Int?, in items: ArraySlice<Value>) -> Value {
        index.map { .int(Int64($0 - items.startIndex)) } ?? .null
    }

    private func sum(_ items: ArraySlice<Value>, _ machine: Machine) throws(ExprError) -> Value {
        var total = Value.int(0)
        for (index, item) in items.enumerated() {
            let value = try map(item, index, machine)
            total = try located { () throws(ValueError) in try Operations.add(total, value, machine.arena) }
        }
        return total
    }
}

/// `map`, `filter`, `sortBy`, `groupBy`
final class Transformation: PredicateNode {
    /// A filter that says the same of an element whenever it is asked.
    private let isOfElement: Bool

    init(_ parts: PredicateParts, isOfElement: Bool, at offset: Int) {
        self.isOfElement = isOfElement
        super.init(parts, at: offset)
    }

    override func value(_ machine: Machine) throws(ExprError) -> Value {
        guard isOfElement else { return try transformed(items(machine), machine) }
        switch try parts.list.value(machine) {
        case .list(let list):
            guard let memo = list.memo as? FilterMemo else { return try transformed(list.items[...], machine) }
            let kept = try memo.filter(self, list.items) { (item, index) throws(ExprError) in
                try ask(item, index, machine)
            }
            return .list(kept)
        case let other: throw noList(other)
        }
    }

    private func transformed(_ items: ArraySlice<Value>, _ machine: Machine) throws(ExprError) -> Value {
        try located { () throws(ValueError) in try machine.useMemory(items.count) }
        switch parts.name {
        case "map":
            var result: [Value] = []
            result.reserveCapacity(items.count)
            for (index, item) in items.enumerated() { result.append(try map(item, index, machine)) }
            return .list(ListValue(result))
        case "filter":
            var result: [Value] = []
            result.reserveCapacity(min(items.count, 8))
            for (index, item) in items.enumerated() where try ask(item, index, machine) { result.append(item) }
            return .list(ListValue(result))
        case "sortBy": return try sorted(items, machine)
        default: return try grouped(items, machine)
        }
    }

    private func sorted(_ items: ArraySlice<Value>, _ machine: Machine) throws(ExprError) -> Value {
        var keyed: [(key: Value, item: Value)] = []
        for (index, item) in items.enumerated() { keyed.append((try map(item, index, machine), item)) }
        let direction = try parts.extra?.value(machine)
        return try located { () throws(ValueError) in
            let descending = try Sorting.isDescending(direction)
            return .list(ListValue(try Sorting.sort(keyed, by: \.key, descending: descending).map(\.item)))
        }
    }

    private func grouped(_ items: ArraySlice<Value>, _ machine: Machine) throws(ExprError) -> Value {
        let groups = MapValue()
        for (index, item) in items.enumerated() {
            let key = try map(item, index, machine)
            let name: ByteSlice =
                if case .string(let text) = key { text } else { machine.arena.copy(Printing.plain(key)) }
            if case .list(let group)? = groups.find(name) {
                group.items.append(item)
            } else {
                groups.set(name, .list(ListValue([item])))
            }
        }
        return .map(groups)
    }
}

/// `reduce(list, expression with #acc[, start])`
final class Reduce: PredicateNode {
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let items = try items(machine)
        var accumulator: Value
        var start = 0
        if let extra = parts.extra {
            accumulator = try extra.value(machine)
        } else {
            guard let first = items.first else { throw error("reduce of empty array with no initial value") }
            accumulator = first
            start = 1
        }
        for (index, item) in zip(start..., items.dropFirst(start)) {
            machine.scopes[parts.level].accumulator = accumulator
            accumulator = try map(item, index, machine)
        }
        return accumulator
    }
}

enum Sorting {
    static func isDescending(_ direction: Value?) throws(ValueError) -> Bool {
        guard let direction else { return false }
        if case .string(let text) = direction {
            if text == ByteSlice("desc") { return true }
            if text == ByteSlice("asc") { return false }
        }
        throw ValueError("invalid order \(Operations.describe(direction)), expected asc or desc")
    }

    static func sort<T>(_ items: [T], by key: (T) -> Value, descending: Bool) throws(ValueError) -> [T] {
        for item in items where Operations.less(key(item), key(items[0])) == nil {
            throw ValueError("cannot order \(key(items[0]).kind) and \(key(item).kind)")
        }
        return items.enumerated().sorted { a, b in
            let (x, y) = (key(a.element), key(b.element))
            if Operations.less(x, y) == true { return !descending }
            if Operations.less(y, x) == true { return descending }
            return a.offset < b.offset
        }.map(\.element)
    }
}
