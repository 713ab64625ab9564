import CrowdCore

final class Arithmetic: Node {
    let op: BinaryOperator
    let left: Node
    let right: Node
    init(_ op: BinaryOperator, _ left: Node, _ right: Node, at offset: Int) {
        (self.op, self.left, self.right) = (op, left, right)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let a = try left.value(machine)
        let b = try right.value(machine)
        return try located { () throws(ValueError) in try Operations.arithmetic(op, a, b, machine.arena) }
    }
}

final class Negate: Node {
    let operand: Node
    init(_ operand: Node, at offset: Int) {
        self.operand = operand
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let value = try operand.value(machine)
        return try located { () throws(ValueError) in try Operations.negate(value) }
    }
}

/// `a..b`, both ends included; empty when b < a.
final class RangeList: Node {
    let from: Node
    let to: Node
    init(_ from: Node, _ to: Node, at offset: Int) {
        (self.from, self.to) = (from, to)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let (a, b) = (try from.value(machine), try to.value(machine))
        guard let low = a.number, let high = b.number, low.magnitude < 1e15, high.magnitude < 1e15 else {
            throw error("invalid operation: \(a.kind) .. \(b.kind)")
        }
        let (first, last) = (Int64(low), Int64(high))
        guard last >= first else { return .list(ListValue([])) }
        try located { () throws(ValueError) in try machine.useMemory(Int(last - first) + 1) }
        return .list(ListValue((first...last).map { .int($0) }))
    }
}

final class ListLiteral: Node {
    let items: [Node]
    init(_ items: [Node], at offset: Int) {
        self.items = items
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        try located { () throws(ValueError) in try machine.useMemory(items.count) }
        var values: [Value] = []
        values.reserveCapacity(items.count)
        for item in items { values.append(try item.value(machine)) }
        return .list(ListValue(values))
    }
}

final class MapLiteral: Node {
    let entries: [(key: Node, value: Node)]
    init(_ entries: [(key: Node, value: Node)], at offset: Int) {
        self.entries = entries
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        try located { () throws(ValueError) in try machine.useMemory(entries.count) }
        let map = MapValue()
        for entry in entries { map.set(try entry.key.text(machine), try entry.value.value(machine)) }
        return .map(map)
    }
}

/// A field of a structure whose type is known.
final class ObjectField: Node {
    let base: Node
    let field: Int
    let name: String
    init(_ base: Node, _ field: Int, _ name: String, at offset: Int) {
        (self.base, self.field, self.name) = (base, field, name)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        switch try base.value(machine) {
        case .object(let object): return object.field(field)
        case let other: throw error("cannot fetch \(name) from \(other.kind)")
        }
    }
}

/// An entry of a text map of a structure, without making the map: `queue.Queue[0].Meta.x`.
final class ObjectEntry: Node {
    let base: Node
    let field: Int
    let key: Node
    /// The key's, when it is known at load and the base is an event.
    let number: FieldKey?
    let missing: Value
    init(_ base: Node, _ field: Int, key: Node, number: FieldKey?, missing: Value, at offset: Int) {
        (self.base, self.field, self.key, self.number, self.missing) = (base, field, key, number, missing)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        switch try base.value(machine) {
        case .object(let object):
            let key = try key.text(machine)
            let found = number.map { object.entry(field, key: key, number: $0) } ?? object.entry(field, key: key)
            return found ?? missing
        case let other: throw error("cannot fetch a field from \(other.kind)")
        }
    }
}

/// An entry by a name known at load, of whatever the base turns out to be.
final class Member: Node {
    let base: Node
    let name: ByteSlice
    let optional: Bool
    init(_ base: Node, _ name: ByteSlice, optional: Bool, at offset: Int) {
        (self.base, self.name, self.optional) = (base, name, optional)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        switch try base.value(machine) {
        case .map(let map): return map.find(name) ?? map.missing
        case .object(let object):
            guard let field = object.type.field(named: String(name)) else {
                throw error("cannot fetch \(name) from \(object.type.name)")
            }
            return object.field(field.index)
        case .null where optional: throw ChainEnd.signal(at: offset)
        case let other: throw error("cannot fetch \(name) from \(other.kind)")
        }
    }
}

final class Index: Node {
    let base: Node
    let index: Node
    let optional: Bool
    init(_ base: Node, _ index: Node, optional: Bool, at offset: Int) {
        (self.base, self.index, self.optional) = (base, index, optional)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let container = try base.value(machine)
        if optional, container.isNull { throw ChainEnd.signal(at: offset) }
        let key = try index.value(machine)
        return try located { () throws(ValueError) in try Operations.index(container, key) }
    }
}

final class Slicing: Node {
    let base: Node
    let from: Node?
    let to: Node?
    init(_ base: Node, from: Node?, to: Node?, at offset: Int) {
        (self.base, self.from, self.to) = (base, from, to)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let container = try base.value(machine)
        let start = try from?.value(machine)
        let end = try to?.value(machine)
        return try located { () throws(ValueError) in try Operations.slice(container, from: start, to: end) }
    }
    override func elements(_ machine: Machine, for asker: PredicateNode) throws(ExprError) -> ArraySlice<Value> {
        let container = try base.value(machine)
        guard case .list(let list) = container else { throw asker.noList(container) }
        let start = try from?.value(machine)
        let end = try to?.value(machine)
        return try located { () throws(ValueError) in
            list.items[try Operations.part(ofCount: list.items.count, from: start, to: end)]
        }
    }
}

/// The whole of an `a?.b.c`: nil as soon as an optional step met nil.
final class Chain: Node {
    let inner: Node
    init(_ inner: Node, at offset: Int) {
        self.inner = inner
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        do {
            return try inner.value(machine)
        } catch  where ChainEnd.isSignal(error) {
            return .null
        }
    }
}

/// How an optional step tells the enclosing chain that it met nil.
enum ChainEnd {
    private static let text = "\u{0}chain"
    static func signal(at offset: Int) -> ExprError { ExprError(text, at: offset, phase: .run) }
    static func isSignal(_ error: ExprError) -> Bool { error.message == text }
}

/// A function: arguments go on the machine's stack.
final class Call: Node {
    let function: Function
    let arguments: [Node]
    init(_ function: Function, _ arguments: [Node], at offset: Int) {
        (self.function, self.arguments) = (function, arguments)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let base = machine.stack.count
        defer { while machine.stack.count > base { machine.stack.removeLast() } }
        for argument in arguments {
            let value = try argument.value(machine)
            machine.stack.append(value)
        }
        return try located { () throws(ValueError) in
            try function.body(Arguments(machine: machine, base: base, count: arguments.count))
        }
    }
}

/// A method of a structure, or one of a time or a duration.
final class MethodCall: Node {
    let base: Node
    let name: String
    let arguments: [Node]
    let optional: Bool
    init(_ base: Node, _ name: String, _ arguments: [Node], optional: Bool, at offset: Int) {
        (self.base, self.name, self.arguments, self.optional) = (base, name, arguments, optional)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let receiver = try base.value(machine)
        var values: [Value] = []
        for argument in arguments { values.append(try argument.value(machine)) }
        switch receiver {
        case .object(let object):
            guard let method = object.type.method(named: name) else {
                throw error("type \(object.type.name) has no method \(name)")
            }
            return try located { () throws(ValueError) in
                try object.call(method.index, values, arena: machine.arena)
            }
        case .time, .duration, .int:
            return try located { () throws(ValueError) in
                try TimeMethods.call(receiver, name, values, machine.arena)
            }
        case .null where optional: throw ChainEnd.signal(at: offset)
        default: throw error("cannot call \(name) on \(receiver.kind)")
        }
    }
}
