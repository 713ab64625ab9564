import CrowdCore
import CrowdText

/// Turns a checked tree into nodes: types choose the node, constants are folded, patterns compiled.
struct Compiler {
    let environment: Environment
    private let declared = Declared()

    /// What the names that `let` declares stand for, by slot.
    private final class Declared { var nodes: [Int: Node] = [:] }

    init(_ environment: Environment) {
        self.environment = environment
    }

    func compile(_ node: Expression) throws(ExprError) -> Node { Folding.fold(try build(node)) }

    private func all(_ nodes: [Expression]) throws(ExprError) -> [Node] {
        var built: [Node] = []
        for node in nodes { built.append(try compile(node)) }
        return built
    }

    private func build(_ node: Expression) throws(ExprError) -> Node {
        let at = node.offset
        switch node.kind {
        case .null: return Constant(.null, at: at)
        case .bool(let value): return Constant(.bool(value), at: at)
        case .int(let value): return Constant(.int(value), at: at)
        case .float(let value): return Constant(.float(value), at: at)
        case .string(let text): return ConstantText(Compiler.immortal(text), at: at)
        case .identifier(let name): return identifier(name, node)
        case .environment:
            let names = environment.variables.map { (Immortal.copy($0.key), $0.value.slot) }
            return EnvironmentMap(names.sorted { $0.0 < $1.0 }, at: at)
        case .element(let name):
            let kind: Element.Kind = name == "acc" ? .accumulator : name == "index" ? .index : .element
            return Element(kind, level: node.slot, at: at)
        case .member(let base, let name, let optional): return try member(base, name, optional, node)
        case .index(let base, let index, let optional): return try self.index(base, index, optional, node)
        case .slice(let base, let from, let to):
            return Slicing(
                try compile(base), from: try from.map(compile), to: try to.map(compile), at: at)
        case .chain(let inner): return Chain(try compile(inner), at: at)
        case .call(let name, let arguments): return try call(name, arguments, node)
        case .method(let base, let name, let arguments, let optional):
            return MethodCall(try compile(base), name, try all(arguments), optional: optional, at: at)
        case .builtin(let name, let arguments): return try predicateFunction(name, arguments, node)
        case .predicate(let body): return try compile(body)
        case .unary(let op, let operand):
            let inner = try compile(operand)
            return op == .not ? Not(inner, at: at) : op == .minus ? Negate(inner, at: at) : inner
        case .binary(let op, let left, let right): return try binary(op, left, right, node)
        case .conditional(let condition, let yes, let no):
            return Conditional(try compile(condition), try compile(yes), try compile(no), at: at)
        case .list(let items): return ListLiteral(try all(items), at: at)
        case .map(let entries):
            var built: [(key: Node, value: Node)] = []
            for entry in entries { built.append((try compile(entry.key), try compile(entry.value))) }
            return MapLiteral(built, at: at)
        case .declaration(_, let value, let body):
            let initial = try compile(value)
            declared.nodes[node.slot] = initial
            return Declaration(node.slot, initial, try compile(body), at: at)
        case .sequence(let parts): return Sequence(try all(parts), at: at)
        }
    }

    static func immortal(_ text: [UInt8]) -> ByteSlice {
        text.withUnsafeBufferPointer { Immortal.copy(ByteSlice($0)) }
    }

    private func identifier(_ name: String, _ node: Expression) -> Node {
        guard let variable = environment.variables[name] else {
            return Local(node.slot, declared.nodes[node.slot], at: node.offset)
        }
        return variable.slot == Environment.eventSlot
            ? EventValue(at: node.offset) : Variable(variable.slot, at: node.offset)
    }

    // MARK: members

    private func isEvent(_ node: Expression) -> Bool {
        if case .identifier(let name) = node.kind {
            environment.variables[name]?.slot == Environment.eventSlot
        } else {
            false
        }
    }

    /// The field of the machine's own event that `node` names, if it names one.
    private func eventField(_ node: Expression) -> Int? {
        if case .member(let base, _, false) = node.kind, isEvent(base) { node.slot } else { nil }
    }

    private func isLine(_ node: Expression) -> Bool { eventField(node) == EventTypes.EventField.line }

    private func member(
        _ base: Expression, _ name: String, _ optional: Bool, _ node: Expression
    ) throws(ExprError) -> Node {
        let at = node.offset
        if isEvent(base) {
            return eventText(node.slot, at) ?? ObjectField(EventValue(at: at), node.slot, name, at: at)
        }
        if isLine(base), let text = lineText(node.slot, at) { return text }
        if case .object = base.type { return ObjectField(try compile(base), node.slot, name, at: at) }
        if let fast = try entry(base, ConstantText(Immortal.copy(name), at: at), name, at) { return fast }
        return Member(try compile(base), Immortal.copy(name), optional: optional, at: at)
    }

    private func eventText(_ field: Int, _ at: Int) -> Node? {
        typealias Field = EventTypes.EventField
        switch field {
        case Field.strTime: return EventText(.strTime, at: at)
        case Field.strTimeFormat: return EventText(.strTimeFormat, at: at)
        case Field.marshaledTime: return EventText(.marshaledTime, at: at)
        case Field.whitelistReason: return EventText(.whitelistReason, at: at)
        case Field.stage: return EventText(.stage, at: at)
        default: return nil
        }
    }

    private func lineText(_ field: Int, _ at: Int) -> Node? {
        typealias Field = EventTypes.LineField
        switch field {
        case Field.raw: return EventText(.raw, at: at)
        case Field.source: return EventText(.source, at: at)
        case Field.module: return EventText(.module, at: at)
        default: return nil
        }
    }

    /// An entry of an event's map by its slot, or of a structure's map without making the map.
    private func entry(_ base: Expression, _ key: Node, _ name: String?, _ at: Int) throws(ExprError) -> Node? {
        if let field = eventField(base), let map = EventMap(field: field), let name,
            let id = environment.keys.intern(name)
        {
            return FieldText(map, id, at: at)
        }
        if case .member(let line, "Labels", _) = base.kind, isLine(line), let name {
            return EventText(.label(Immortal.copy(name)), at: at)
        }
        guard case .member(let owner, _, false) = base.kind, case .object = owner.type, case .map(let type) = base.type
        else { return nil }
        let missing: Value = type == .string ? .string(.empty) : .null
        let number = owner.type == .object(EventTypes.event) ? name.flatMap { environment.keys.intern($0) } : nil
        return ObjectEntry(try compile(owner), base.slot, key: key, number: number, missing: missing, at: at)
    }

    private func index(
        _ base: Expression, _ index: Expression, _ optional: Bool, _ node: Expression
    ) throws(ExprError) -> Node {
        let name = index.constantText.map { String(decoding: $0, as: UTF8.self) }
        if !optional, index.type == .string, let fast = try entry(base, try compile(index), name, node.offset) {
            return fast
        }
        return Index(try compile(base), try compile(index), optional: optional, at: node.offset)
    }

    // MARK: calls

    private func call(_ name: String, _ arguments: [Expression], _ node: Expression) throws(ExprError) -> Node {
        guard let function = environment.functions[name] ?? Builtins.functions[name] else {
            throw ExprError("unknown name \(name)", at: node.offset)
        }
        if let body = function.textBody, arguments.count == 1, arguments[0].type == .string {
            return TextCall(function, body, try compile(arguments[0]), at: node.offset)
        }
        if let test = AddressTest(rawValue: name), arguments.count == 1, arguments[0].type == .string {
            let argument = try compile(arguments[0])
            return argument.isOfEvent
                ? FieldIsAddress(test, argument, at: node.offset) : Call(function, [argument], at: node.offset)
        }
        if arguments.count == 2, arguments[0].type == .string, let constant = arguments[1].constantText {
            if name == "IpInRange" {
                let range = constant.withUnsafeBufferPointer { IPRange(ascii: $0) }
                return AddressInRanges(try compile(arguments[0]), range.map { [$0] } ?? [], at: node.offset)
            }
            let file = String(decoding: constant, as: UTF8.self)
            if name == "RegexpInFile", let patterns = environment.files.patterns(of: file) {
                return MatchesAny(try compile(arguments[0]), patterns, at: node.offset)
            }
        }
        return Call(function, try all(arguments), at: node.offset)
    }

    /// The elements of a list that is the same at every event: a literal, or a data file that was loaded before.
    private func loadedItems(_ expression: Expression, _ list: Node) -> [Value]? {
        if case .list(let constant)? = (list as? Constant)?.constant { return constant.items }
        guard case .call("File", let arguments) = expression.kind, let name = arguments.first?.constantText else {
            return nil
        }
        return environment.files.lines(of: String(decoding: name, as: UTF8.self))?.items
    }

    private func predicateFunction(
        _ name: String, _ arguments: [Expression], _ node: Expression
    ) throws(ExprError) -> Node {
        let list = try compile(arguments[0])
        let predicate = arguments.count > 1 ? try compile(arguments[1]) : nil
        let extra = arguments.count > 2 ? try compile(arguments[2]) : nil
        let parts = PredicateParts(name: name, list: list, predicate: predicate, extra: extra, level: node.slot)
        guard name == "any", let predicate, let items = loadedItems(arguments[0], list) else {
            return PredicateNodes.make(parts, nil, askedOf: environment.needles, at: node.offset)
        }
        let known = KnownList(items, predicate, level: node.slot)
        return known.node(at: node.offset)
            ?? PredicateNodes.make(parts, known.need, askedOf: environment.needles, at: node.offset)
    }

    // MARK: operators

    private func binary(
        _ op: BinaryOperator, _ left: Expression, _ right: Expression, _ node: Expression
    ) throws(ExprError) -> Node {
        let at = node.offset
        if op == .or || op == .and { return try logic(op, node) }
        let (a, b) = (try compile(left), try compile(right))
        let isText = left.type == .string && right.type == .string
        switch op {
        case .equal, .notEqual:
            if areTakenForInts(left, right) { return IntsEqual(a, b, negated: op == .notEqual, at: at) }
            return equality(a, b, isText: isText, negated: op == .notEqual, at)
        case .less, .greater, .lessOrEqual, .greaterOrEqual: return Ordering(op, a, b, at: at)
        case .contains: return TextTestNode(.contains, a, b, isText: isText, at: at)
        case .startsWith: return TextTestNode(.startsWith, a, b, isText: isText, at: at)
        case .endsWith: return TextTestNode(.endsWith, a, b, isText: isText, at: at)
        case .matches: return try matches(a, b, right, at)
        case .in: return membership(a, b, left, right, at)
        case .range: return RangeList(a, b, at: at)
        case .coalesce: return Coalesce(a, b, at: at)
        case .add where isText: return Join(a, b, at: at)
        default: return Arithmetic(op, a, b, at: at)
        }
    }

    /// A chain of one operator becomes a balanced tree, so that its depth does not grow with its length.
    private func logic(_ op: BinaryOperator, _ node: Expression) throws(ExprError) -> Node {
        var operands: [Expression] = []
        var rest = node
        while case .binary(op, let left, let right) = rest.kind {
            operands.append(right)
            rest = left
        }
        operands.append(rest)
        var nodes = try all(operands.reversed())
        // The last operand's value is given unchecked; all before it are conditions. Balancing keeps both.
        while nodes.count > 1 {
            var halved: [Node] = []
            for pair in stride(from: 0, to: nodes.count, by: 2) {
                guard pair + 1 < nodes.count else {
                    halved.append(nodes[pair])
                    break
                }
                let (a, b) = (nodes[pair], nodes[pair + 1])
                halved.append(op == .or ? Or(a, b, at: node.offset) : And(a, b, at: node.offset))
            }
            nodes = halved
        }
        return nodes[0]
    }

    private func equality(_ a: Node, _ b: Node, isText: Bool, negated: Bool, _ at: Int) -> Node {
        if let field = a as? FieldText, let constant = b as? ConstantText {
            return FieldEqual(field, constant.constant, negated: negated)
        }
        return isText ? TextEqual(a, b, negated: negated, at: at) : Equal(a, b, negated: negated, at: at)
    }

    /// Whether the reference takes both for ints although one need not be: it gives `max` and `min` of numbers the type of their
    /// first argument.
    private func areTakenForInts(_ left: Expression, _ right: Expression) -> Bool {
        (left.type != .int || right.type != .int) && typeTakenFor(left) == .int && typeTakenFor(right) == .int
    }

    private func typeTakenFor(_ node: Expression) -> StaticType {
        guard case .call(let name, let arguments) = node.kind, name == "max" || name == "min",
            environment.functions[name] == nil, arguments.allSatisfy({ typeTakenFor($0).isNumber })
        else { return node.type }
        return arguments.first.map(typeTakenFor) ?? .any
    }

    private func matches(_ a: Node, _ b: Node, _ right: Expression, _ at: Int) throws(ExprError) -> Node {
        do {
            if let text = right.constantText {
                return try matches(a, text, at)
            }
        } catch {
            throw ExprError(error.description, at: right.offset)
        }
        // A pattern that was computed at load; a wrong one is an error only when it is used.
        if let text = b.constantText, let node = try? matches(a, Array(text.buffer), at) { return node }
        return MatchesComputed(a, b, at: at)
    }

    private func matches(_ subject: Node, _ text: [UInt8], _ at: Int) throws(RegexError) -> Node {
        let pattern = String(decoding: text, as: UTF8.self)
        return Matches(subject, try GoPattern(pattern), needing: PatternNeeds.texts(of: pattern), at: at)
    }

    private func membership(_ a: Node, _ b: Node, _ left: Expression, _ right: Expression, _ at: Int) -> Node {
        if case .list(let items) = right.kind, !items.isEmpty {
            let texts = items.compactMap(\.constantText)
            if texts.count == items.count {
                let set = TextSet(texts.map(Compiler.immortal))
                return InTextSet(a, set, isText: left.type == .string, at: at)
            }
        }
        // `'name' in evt.Meta`
        if let field = eventField(right), let map = EventMap(field: field), let name = left.constantText,
            let key = environment.keys.intern(String(decoding: name, as: UTF8.self))
        {
            return FieldIsSet(map, key, at: at)
        }
        return In(a, b, at: at)
    }
}

/// Computes at load what does not depend on anything.
enum Folding {
    static func fold(_ node: Node) -> Node {
        guard isFoldable(node) else { return node }
        let machine = Machine(event: Event(keys: KeyTable(limit: 0)))
        machine.begin(locals: 0, scopes: 0)
        guard let value = try? node.value(machine) else { return node }  // its error belongs to run time
        if case .string(let text) = value { return ConstantText(Immortal.copy(text), at: node.offset) }
        return Constant(immortal(value), at: node.offset)
    }

    private static func isConstant(_ node: Node) -> Bool { node is Constant || node is ConstantText }

    private static func isFoldable(_ node: Node) -> Bool {
        switch node {
        case let node as Negate: isConstant(node.operand)
        case let node as Not: isConstant(node.operand)
        case let node as Arithmetic: isConstant(node.left) && isConstant(node.right)
        case let node as Join: isConstant(node.left) && isConstant(node.right)
        case let node as Equal: isConstant(node.left) && isConstant(node.right)
        case let node as TextEqual: isConstant(node.left) && isConstant(node.right)
        case let node as ListLiteral: node.items.count <= 1_000 && node.items.allSatisfy(isConstant)
        case let node as Call: node.function.isPure && node.arguments.allSatisfy(isConstant)
        case let node as TextCall: isConstant(node.argument)
        default: false
        }
    }

    private static func immortal(_ value: Value) -> Value {
        switch value {
        case .string(let text): .string(Immortal.copy(text))
        case .list(let list): .list(ListValue(list.items.map(immortal)))
        case .map(let map): .map(immortal(map))
        default: value
        }
    }

    private static func immortal(_ map: MapValue) -> MapValue {
        let copy = MapValue(missing: map.missing)
        for (key, value) in zip(map.keys, map.values) { copy.set(Immortal.copy(key), immortal(value)) }
        return copy
    }
}
