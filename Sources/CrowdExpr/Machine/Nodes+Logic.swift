import CrowdCore

final class And: Node {
    let left: Node
    let right: Node
    init(_ left: Node, _ right: Node, at offset: Int) {
        (self.left, self.right) = (left, right)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        try left.bool(machine) ? try right.bool(machine) : false
    }
    /// The right value is given unchecked, as the reference does.
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        try left.bool(machine) ? try right.value(machine) : .bool(false)
    }
    override var facts: [Fact] { left.facts + right.facts }
    override var needs: [[NeedleNeed]] { left.needs + right.needs }
}

final class Or: Node {
    let left: Node
    let right: Node
    init(_ left: Node, _ right: Node, at offset: Int) {
        (self.left, self.right) = (left, right)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        try left.bool(machine) ? true : try right.bool(machine)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        try left.bool(machine) ? .bool(true) : try right.value(machine)
    }
    /// A fact holds for the whole when both sides state it of the same field: `x == 'a' or x == 'b'`.
    override var facts: [Fact] {
        left.facts.compactMap { fact in right.facts.lazy.compactMap { fact.either($0) }.first }
    }
    /// Of what either side needs, one group each: the whole needs one of both.
    override var needs: [[NeedleNeed]] {
        guard let a = left.needs.first, let b = right.needs.first else { return [] }
        return [a + b]
    }
}

extension Fact {
    /// What is known when one of two facts holds: nil unless they speak of the same field.
    func either(_ other: Fact) -> Fact? {
        switch (self, other) {
        case (.fieldIn(let map, let key, let a), .fieldIn(let otherMap, let otherKey, let b))
        where map == otherMap && key == otherKey:
            .fieldIn(map, key, a + b)
        case (.labelIn(let name, let a), .labelIn(let otherName, let b)) where name == otherName:
            .labelIn(name, a + b)
        default: nil
        }
    }
}

final class Not: BoolNode {
    let operand: Node
    init(_ operand: Node, at offset: Int) {
        self.operand = operand
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool { try !operand.bool(machine) }
}

final class Conditional: Node {
    let condition: Node
    let yes: Node
    let no: Node
    init(_ condition: Node, _ yes: Node, _ no: Node, at offset: Int) {
        (self.condition, self.yes, self.no) = (condition, yes, no)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        try condition.bool(machine) ? try yes.value(machine) : try no.value(machine)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        try condition.bool(machine) ? try yes.bool(machine) : try no.bool(machine)
    }
    override func text(_ machine: Machine) throws(ExprError) -> ByteSlice {
        try condition.bool(machine) ? try yes.text(machine) : try no.text(machine)
    }
    override var facts: [Fact] { no.isFalse ? condition.facts + yes.facts : [] }
    override var needs: [[NeedleNeed]] { no.isFalse ? condition.needs + yes.needs : [] }
}

final class Coalesce: Node {
    let left: Node
    let right: Node
    init(_ left: Node, _ right: Node, at offset: Int) {
        (self.left, self.right) = (left, right)
        super.init(at: offset)
    }
    override func value(_ machine: Machine) throws(ExprError) -> Value {
        let first = try left.value(machine)
        return first.isNull ? try right.value(machine) : first
    }
}

/// `==` and `!=` where both sides are text.
final class TextEqual: BoolNode {
    let left: Node
    let right: Node
    let negated: Bool
    init(_ left: Node, _ right: Node, negated: Bool, at offset: Int) {
        (self.left, self.right, self.negated) = (left, right, negated)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let a = try left.text(machine)
        return try (a == right.text(machine)) != negated
    }
    override var facts: [Fact] {
        guard !negated else { return [] }
        if let constant = right as? ConstantText { return left.equals(constant.constant) }
        if let constant = left as? ConstantText { return right.equals(constant.constant) }
        return []
    }
    override var needs: [[NeedleNeed]] {
        negated ? [] : NeedleNeed.group(left, right.constantText.map { [$0] })
    }
}

/// `field == 'constant'`: the commonest filter of all, in one node.
final class FieldEqual: BoolNode {
    let map: EventMap
    let key: FieldKey
    let constant: ByteSlice
    let negated: Bool
    init(_ field: FieldText, _ constant: ByteSlice, negated: Bool) {
        (map, key, self.constant, self.negated) = (field.map, field.key, constant, negated)
        super.init(at: field.offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        (map.value(key, in: machine.event) == constant) != negated
    }
    override var facts: [Fact] { negated ? [] : [.fieldIn(map, key, [constant])] }
}

extension Node {
    /// The facts of this node being equal to a constant.
    func equals(_ constant: ByteSlice) -> [Fact] { isIn([constant]) }

    func isIn(_ values: [ByteSlice]) -> [Fact] {
        if let field = self as? FieldText { return [.fieldIn(field.map, field.key, values)] }
        if let text = self as? EventText, case .label(let name) = text.field { return [.labelIn(name, values)] }
        return []
    }
}

class Equal: BoolNode {
    let left: Node
    let right: Node
    let negated: Bool
    init(_ left: Node, _ right: Node, negated: Bool, at offset: Int) {
        (self.left, self.right, self.negated) = (left, right, negated)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let a = try left.value(machine)
        return Operations.equal(a, try right.value(machine)) != negated
    }
}

/// `==` and `!=` of what the reference takes for ints: a value that turns out to be something else is an error.
final class IntsEqual: Equal {
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let (a, b) = (try left.value(machine), try right.value(machine))
        guard case .int(let left) = a, case .int(let right) = b else {
            throw ExprError("invalid operation: \(a.kind) \(negated ? "!=" : "==") \(b.kind) (of ints)", at: offset)
        }
        return (left == right) != negated
    }
}

final class Ordering: BoolNode {
    let op: BinaryOperator
    let left: Node
    let right: Node
    init(_ op: BinaryOperator, _ left: Node, _ right: Node, at offset: Int) {
        (self.op, self.left, self.right) = (op, left, right)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let a = try left.value(machine)
        let b = try right.value(machine)
        return try located { () throws(ValueError) in try Operations.order(op, a, b) }
    }
}

/// `in` a list of string literals: a set look-up.
final class InTextSet: BoolNode {
    let subject: Node
    let set: TextSet
    /// Whether the subject is known to be text; otherwise nil counts as "" and other kinds are an error.
    let isText: Bool
    init(_ subject: Node, _ set: TextSet, isText: Bool, at offset: Int) {
        (self.subject, self.set, self.isText) = (subject, set, isText)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        if isText { return set.contains(try subject.text(machine)) }
        switch try subject.value(machine) {
        case .string(let text): return set.contains(text)
        case .null: return set.contains(.empty)
        case let other: throw error("interface conversion: interface {} is \(other.kind), not string")
        }
    }
    override var facts: [Fact] { subject.isIn(set.values) }
}

/// A fixed set of texts, tried by length first.
struct TextSet {
    let values: [ByteSlice]
    private let hashed: Set<ByteSlice>?

    init(_ values: [ByteSlice]) {
        self.values = values
        hashed = values.count > 8 ? Set(values) : nil
    }

    func contains(_ text: ByteSlice) -> Bool {
        if let hashed { return hashed.contains(text) }
        for value in values where value == text { return true }
        return false
    }
}

/// `'name' in evt.Meta`: whether the field was set, be it to an empty text.
final class FieldIsSet: BoolNode {
    let map: EventMap
    let key: FieldKey
    init(_ map: EventMap, _ key: FieldKey, at offset: Int) {
        (self.map, self.key) = (map, key)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool { map.find(key, in: machine.event) != nil }
}

final class In: BoolNode {
    let subject: Node
    let container: Node
    init(_ subject: Node, _ container: Node, at offset: Int) {
        (self.subject, self.container) = (subject, container)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let value = try subject.value(machine)
        let container = try container.value(machine)
        return try located { () throws(ValueError) in try Operations.contains(container, value) }
    }
}
