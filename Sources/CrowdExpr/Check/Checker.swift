import CrowdCore

/// Finds out the type of every part before anything runs, and refuses what cannot work (engine facts D.3).
///
/// Fills `type` and `slot` of the tree. What is `any` is left to run time.
struct Checker {
    let environment: Environment
    private var locals: [(name: String, slot: Int, type: StaticType)] = []
    private(set) var localCount = 0
    /// Element types of the enclosing predicates, outermost first.
    private var levels: [(element: StaticType, accumulator: StaticType)] = []
    private(set) var maxDepth = 0
    /// Whether running it changes anything: such a filter is run even when its result is known.
    private(set) var hasEffects = false
    private static let effects: Set = [
        "UnmarshalJSON", "ParseKV", "ParseKVLax", "LogInfo", "SetMeta", "SetParsed",
        "HTTPGet", "HTTPHead", "HTTPPost", "HTTPRequest",
    ]
    /// Whether running it may wait for somebody else's answer.
    private(set) var asksOthers = false
    private static let questions: Set = [
        "HTTPGet", "HTTPHead", "HTTPPost", "HTTPRequest", "CrowdsecCTI", "LookupHost", "MatchKnownBot",
    ]

    init(_ environment: Environment) { self.environment = environment }

    @discardableResult mutating func check(_ node: Expression) throws(ExprError) -> StaticType {
        let type = try infer(node)
        node.type = type
        return type
    }

    private mutating func infer(_ node: Expression) throws(ExprError) -> StaticType {
        switch node.kind {
        case .null: return .null
        case .bool: return .bool
        case .int: return .int
        case .float: return .float
        case .string: return .string
        case .identifier(let name): return try identifier(name, node)
        case .environment: return .map(.any)
        case .element(let name): return try element(name, node)
        case .member(let base, let name, _): return try member(base, name, node)
        case .index(let base, let index, _): return try self.index(base, index, node)
        case .slice(let base, let from, let to): return try slice(base, from, to, node)
        case .chain(let inner):
            try check(inner)
            return inner.type == .string ? .any : inner.type.isNumber || inner.type == .bool ? .any : inner.type
        case .call(let name, let arguments): return try call(name, arguments, node)
        case .method(let base, let name, let arguments, _): return try method(base, name, arguments, node)
        case .builtin(let name, let arguments): return try predicateFunction(name, arguments, node)
        case .predicate(let body): return try check(body)
        case .unary(let op, let operand): return try unary(op, operand, node)
        case .binary(let op, let left, let right): return try binary(op, left, right, node)
        case .conditional(let condition, let yes, let no): return try conditional(condition, yes, no)
        case .list(let items):
            var types: [StaticType] = []
            for item in items { types.append(try check(item)) }
            guard let first = types.first, first != .null, types.allSatisfy({ $0 == first }) else { return .list(.any) }
            return .list(first)
        case .map(let entries):
            for entry in entries {
                let key = try check(entry.key)
                guard key == .string || key == .any else {
                    throw ExprError("map keys must be strings, not \(key.name)", at: entry.key.offset)
                }
                try check(entry.value)
            }
            return .map(.any)
        case .declaration(let name, let value, let body): return try declaration(name, value, body, node)
        case .sequence(let parts):
            var last = StaticType.null
            for part in parts { last = try check(part) }
            return last
        }
    }

    // MARK: names

    private func identifier(_ name: String, _ node: Expression) throws(ExprError) -> StaticType {
        if let local = locals.last(where: { $0.name == name }) {
            node.slot = local.slot
            return local.type
        }
        guard let variable = environment.variables[name] else {
            throw ExprError("unknown name \(name)", at: node.offset)
        }
        return variable.type
    }

    func isLocal(_ name: String) -> Bool { locals.contains { $0.name == name } }

    private mutating func declaration(
        _ name: String, _ value: Expression, _ body: Expression, _ node: Expression
    ) throws(ExprError) -> StaticType {
        guard environment.variables[name] == nil else {
            throw ExprError("cannot redeclare \(name)", at: node.offset)
        }
        guard environment.functions[name] == nil else {
            throw ExprError("cannot redeclare function \(name)", at: node.offset)
        }
        guard Builtins.functions[name] == nil, PredicateShape.of[name] == nil else {
            throw ExprError("cannot redeclare builtin \(name)", at: node.offset)
        }
        guard !isLocal(name) else { throw ExprError("cannot redeclare variable \(name)", at: node.offset) }
        let type = try check(value)
        node.slot = localCount
        locals.append((name, localCount, type))
        localCount += 1
        let result = try check(body)
        locals.removeLast()
        // The body's names were resolved already; mark them as locals for the compiler.
        return result
    }

    private func element(_ name: String, _ node: Expression) throws(ExprError) -> StaticType {
        guard let level = levels.last else {
            throw ExprError("cannot use pointer accessor outside predicate", at: node.offset)
        }
        node.slot = levels.count - 1
        switch name {
        case "index": return .int
        case "acc": return level.accumulator
        default: return level.element
        }
    }

    // MARK: members

    private mutating func member(_ base: Expression, _ name: String, _ node: Expression) throws(ExprError) -> StaticType
    {
        let type = try check(base)
        switch type {
        case .any: return .any
        case .map(let value): return value
        case .object(let object):
            guard let field = object.field(named: name) else {
                throw ExprError("type \(object.name) has no field \(name)", at: node.offset)
            }
            node.slot = field.index
            return field.type
        default: throw ExprError("type \(type.name) has no field \(name)", at: node.offset)
        }
    }

    private mutating func index(_ base: Expression, _ index: Expression, _ node: Expression) throws(ExprError)
        -> StaticType
    {
        let type = try check(base)
        let key = try check(index)
        switch type {
        case .any: return .any
        case .map(let value):
            guard key == .any || key == .string || key == .null else {
                throw ExprError("cannot use \(key.name) to get an element from \(type.name)", at: index.offset)
            }
            return value
        case .list(let element):
            guard key == .any || key.isNumber else {
                throw ExprError(
                    "array elements can only be selected using an integer (got \(key.name))", at: index.offset)
            }
            return element
        case .object(let object):
            guard let name = index.constantText else { return .any }
            let text = String(decoding: name, as: UTF8.self)
            guard let field = object.field(named: text) else {
                throw ExprError("type \(object.name) has no field \(text)", at: node.offset)
            }
            node.slot = field.index
            return field.type
        default: throw ExprError("type \(type.name)[\(key.name)] is undefined", at: node.offset)
        }
    }

    private mutating func slice(
        _ base: Expression, _ from: Expression?, _ to: Expression?, _ node: Expression
    ) throws(ExprError) -> StaticType {
        let type = try check(base)
        switch type {
        case .any, .string, .list: break
        default: throw ExprError("cannot slice \(type.name)", at: node.offset)
        }
        for bound in [from, to].compactMap({ $0 }) {
            let kind = try check(bound)
            guard kind == .any || kind == .int else {
                throw ExprError("non-integer slice index \(kind.name)", at: bound.offset)
            }
        }
        return type
    }

    private mutating func method(
        _ base: Expression, _ name: String, _ arguments: [Expression], _ node: Expression
    ) throws(ExprError) -> StaticType {
        let type = try check(base)
        if Checker.effects.contains(name) { hasEffects = true }
        for argument in arguments { try check(argument) }
        switch type {
        case .any: return .any
        case .object(let object):
            guard let method = object.method(named: name) else {
                throw ExprError("type \(object.name) has no method \(name)", at: node.offset)
            }
            try checkArguments(
                name, arguments, method.parameters, required: method.parameters.count, variadic: false, node)
            return method.result
        case .time, .duration:
            guard let result = TimeMethods.result(of: name, on: type) else {
                throw ExprError("type \(type.name) has no method \(name)", at: node.offset)
            }
            return result
        default: throw ExprError("type \(type.name) has no method \(name)", at: node.offset)
        }
    }

    private mutating func call(_ name: String, _ arguments: [Expression], _ node: Expression) throws(ExprError)
        -> StaticType
    {
        guard let function = environment.functions[name] ?? Builtins.functions[name] else {
            let known = isLocal(name) || environment.variables[name] != nil
            throw ExprError(known ? "\(name) is not callable" : "unknown name \(name)", at: node.offset)
        }
        if Checker.questions.contains(name) { asksOthers = true }
        if let reason = function.unavailable?() { throw ExprError(reason, at: node.offset) }
        if Checker.effects.contains(name) { hasEffects = true }
        for argument in arguments { try check(argument) }
        try checkArguments(
            name, arguments, function.parameters, required: function.required, variadic: function.isVariadic, node)
        if let refined = Builtins.result(of: name, arguments.map(\.type)), environment.functions[name] == nil {
            return refined
        }
        return function.result
    }

    private func checkArguments(
        _ name: String, _ arguments: [Expression], _ parameters: [StaticType], required: Int, variadic: Bool,
        _ node: Expression
    ) throws(ExprError) {
        if arguments.count < required {
            throw ExprError("not enough arguments to call \(name)", at: node.offset)
        }
        if arguments.count > parameters.count, !variadic {
            throw ExprError("too many arguments to call \(name)", at: node.offset)
        }
        for (position, argument) in arguments.enumerated() {
            guard let wanted = position < parameters.count ? parameters[position] : parameters.last else { continue }
            guard argument.type.mayBe(wanted) || (argument.isNull && !wanted.isScalar) else {
                throw ExprError(
                    "cannot use \(argument.type.name) as argument (type \(wanted.name)) to call \(name)",
                    at: argument.offset)
            }
        }
    }

    // MARK: predicates

    private mutating func predicateFunction(
        _ name: String, _ arguments: [Expression], _ node: Expression
    ) throws(ExprError) -> StaticType {
        let collection = try check(arguments[0])
        let element: StaticType
        switch collection {
        case .any: element = .any
        case .list(let type): element = type
        default: throw ExprError("builtin \(name) takes only array (got \(collection.name))", at: arguments[0].offset)
        }
        var accumulator = StaticType.any
        if arguments.count > 2 {
            accumulator = try check(arguments[2])
            if name == "reduce" { accumulator = .any }
        }
        guard arguments.count > 1 else {
            if name == "count", element != .any, element != .bool {
                throw ExprError("predicate should return boolean (got \(element.name))", at: node.offset)
            }
            return name == "count" ? .int : element == .any ? .any : element
        }
        levels.append((element, accumulator))
        maxDepth = max(maxDepth, levels.count)
        let result = try check(arguments[1])
        levels.removeLast()
        node.slot = levels.count
        return try predicateResult(name, element, result, arguments[1])
    }

    private func predicateResult(
        _ name: String, _ element: StaticType, _ result: StaticType, _ predicate: Expression
    ) throws(ExprError) -> StaticType {
        switch name {
        case "map": return .list(result)
        case "sum": return result.isNumber ? result : .any
        case "groupBy": return .map(.list(element))
        case "sortBy": return .list(element)
        case "reduce": return .any
        default: break
        }
        guard result == .bool || result == .any else {
            throw ExprError("predicate should return boolean (got \(result.name))", at: predicate.offset)
        }
        switch name {
        case "filter": return .list(element)
        case "count": return .int
        case "find", "findLast", "findIndex", "findLastIndex": return .any
        default: return .bool
        }
    }

    private mutating func conditional(
        _ condition: Expression, _ yes: Expression, _ no: Expression
    ) throws(ExprError) -> StaticType {
        let type = try check(condition)
        guard type == .bool || type == .any else {
            throw ExprError("non-bool expression (type \(type.name)) used as condition", at: condition.offset)
        }
        let (a, b) = (try check(yes), try check(no))
        return a == b ? a : .any
    }
}

extension StaticType {
    /// Types that have no nil.
    var isScalar: Bool {
        switch self {
        case .bool, .int, .float, .string, .time, .duration: true
        default: false
        }
    }
}
