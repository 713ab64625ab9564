import CrowdCore

/// One operation of a compiled expression.
///
/// A node whose type is known overrides `bool` or `text` and is asked that way by its parent, so that conditions and
/// text never become a `Value`. Nodes are immutable and shared by workers.
class Node {
    let offset: Int
    init(at offset: Int) { self.offset = offset }

    func value(_ machine: Machine) throws(ExprError) -> Value { throw error("not implemented") }

    func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let value = try value(machine)
        guard case .bool(let bool) = value else {
            throw error("interface conversion: interface {} is \(value.kind), not bool")
        }
        return bool
    }

    func text(_ machine: Machine) throws(ExprError) -> ByteSlice {
        let value = try value(machine)
        guard case .string(let text) = value else {
            throw error("interface conversion: interface {} is \(value.kind), not string")
        }
        return text
    }

    /// The elements of the list that it gives, for another node to go through.
    func elements(_ machine: Machine, for asker: PredicateNode) throws(ExprError) -> ArraySlice<Value> {
        switch try value(machine) {
        case .list(let list): return list.items[...]
        case let other: throw asker.noList(other)
        }
    }

    /// Conditions without which this one cannot be true.
    var facts: [Fact] { [] }

    /// Texts without which it cannot be true: of each group at least one must be there.
    var needs: [[NeedleNeed]] { [] }

    func error(_ text: String) -> ExprError { ExprError(text, at: offset, phase: .run) }

    /// Runs an operation on values and adds the place to its error.
    @inline(__always)
    func located<T>(_ body: () throws(ValueError) -> T) throws(ExprError) -> T {
        do {
            return try body()
        } catch {
            throw ExprError(error.description, at: offset, phase: .run)
        }
    }
}

/// A node that gives text.
class TextNode: Node {
    override func value(_ machine: Machine) throws(ExprError) -> Value { .string(try text(machine)) }
}

/// A node that gives true or false.
class BoolNode: Node {
    override func value(_ machine: Machine) throws(ExprError) -> Value { .bool(try bool(machine)) }
}

final class Constant: Node {
    let constant: Value
    init(_ constant: Value, at offset: Int) {
        self.constant = constant
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value { constant }
}

final class ConstantText: TextNode {
    let constant: ByteSlice
    init(_ constant: ByteSlice, at offset: Int) {
        self.constant = constant
        super.init(at: offset)
    }
    override func text(_ machine: Machine) throws(ExprError) -> ByteSlice { constant }
}

/// `evt.Parsed.x`, `evt.Meta.x`, `evt.Enriched.x`: empty when absent.
final class FieldText: TextNode {
    let map: EventMap
    let key: FieldKey
    init(_ map: EventMap, _ key: FieldKey, at offset: Int) {
        self.map = map
        self.key = key
        super.init(at: offset)
    }
    override func text(_ machine: Machine) throws(ExprError) -> ByteSlice { map.value(key, in: machine.event) }
}

/// The event's own text fields and those of its line.
final class EventText: TextNode {
    enum Field {
        case raw, source, module, strTime, strTimeFormat, marshaledTime, whitelistReason, stage
        case label(ByteSlice)
    }
    let field: Field
    init(_ field: Field, at offset: Int) {
        self.field = field
        super.init(at: offset)
    }

    override func text(_ machine: Machine) throws(ExprError) -> ByteSlice {
        let event = machine.event
        return switch field {
        case .raw: event.line.raw
        case .source: event.line.source
        case .module: event.line.module
        case .strTime: event.strTime
        case .strTimeFormat: event.strTimeFormat
        case .marshaledTime: event.marshaledTime
        case .whitelistReason: event.whitelistReason
        case .stage: event.stageName
        case .label(let name): event.line.label(name)
        }
    }
}

final class EventValue: Node {
    override func value(_ machine: Machine) throws(ExprError) -> Value { .object(machine.event) }
}

final class Variable: Node {
    let slot: Int
    init(_ slot: Int, at offset: Int) {
        self.slot = slot
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        slot < machine.variables.count ? machine.variables[slot] : .null
    }
}

/// `$env`
final class EnvironmentMap: Node {
    let names: [(name: ByteSlice, slot: Int)]
    init(_ names: [(name: ByteSlice, slot: Int)], at offset: Int) {
        self.names = names
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let map = MapValue()
        for (name, slot) in names {
            map.set(name, slot == Environment.eventSlot ? .object(machine.event) : machine.variables[slot])
        }
        return .map(map)
    }
}

final class Local: Node {
    let slot: Int
    /// What it was declared to be.
    let initial: Node?
    init(_ slot: Int, _ initial: Node?, at offset: Int) {
        (self.slot, self.initial) = (slot, initial)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value { machine.locals[slot] }
}

final class Declaration: Node {
    let slot: Int
    let initial: Node
    let body: Node
    init(_ slot: Int, _ initial: Node, _ body: Node, at offset: Int) {
        (self.slot, self.initial, self.body) = (slot, initial, body)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        machine.locals[slot] = try initial.value(machine)
        return try body.value(machine)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        machine.locals[slot] = try initial.value(machine)
        return try body.bool(machine)
    }
    override var facts: [Fact] { body.facts }
    override var needs: [[NeedleNeed]] { body.needs }
}

final class Sequence: Node {
    let parts: [Node]
    init(_ parts: [Node], at offset: Int) {
        self.parts = parts
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        var last = Value.null
        for part in parts { last = try part.value(machine) }
        return last
    }
}

/// `#`, `#index`, `#acc` of the predicate at nesting level `level`.
final class Element: Node {
    enum Kind { case element, index, accumulator }
    let kind: Kind
    let level: Int
    init(_ kind: Kind, level: Int, at offset: Int) {
        (self.kind, self.level) = (kind, level)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        switch kind {
        case .element: machine.scopes[level].element
        case .index: .int(Int64(machine.scopes[level].index))
        case .accumulator: machine.scopes[level].accumulator
        }
    }
    /// `#` itself, of the predicate at that level.
    func isElement(of level: Int) -> Bool { kind == .element && self.level == level }
}
