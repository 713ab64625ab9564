import CrowdCore
import CrowdText

extension Checker {
    mutating func unary(_ op: UnaryOperator, _ operand: Expression, _ node: Expression) throws(ExprError) -> StaticType
    {
        let type = try check(operand)
        switch op {
        case .not:
            if type == .bool || type == .any { return .bool }
        case .plus, .minus:
            if type.isNumber || type == .any { return type }
        }
        throw ExprError("invalid operation: \(op.rawValue) (mismatched type \(type.name))", at: node.offset)
    }

    mutating func binary(
        _ op: BinaryOperator, _ left: Expression, _ right: Expression, _ node: Expression
    ) throws(ExprError) -> StaticType {
        let (a, b) = (try check(left), try check(right))
        if let type = Checker.result(op, a, b) {
            if op == .matches, let pattern = right.constantText { try checkPattern(pattern, right) }
            return type
        }
        throw ExprError(
            "invalid operation: \(op.rawValue) (mismatched types \(a.name) and \(b.name))", at: node.offset)
    }

    private func checkPattern(_ pattern: [UInt8], _ node: Expression) throws(ExprError) {
        do {
            _ = try GoPattern(String(decoding: pattern, as: UTF8.self))
        } catch {
            throw ExprError(error.description, at: node.offset)
        }
    }

    /// The type of the result, nil when the operands do not fit.
    private static func result(_ op: BinaryOperator, _ a: StaticType, _ b: StaticType) -> StaticType? {
        switch op {
        case .equal, .notEqual: return areComparable(a, b) ? .bool : nil
        case .or, .and: return either(a, b, [.bool]) ? .bool : nil
        case .less, .greater, .lessOrEqual, .greaterOrEqual:
            return bothNumbers(a, b) || [.string, .time, .duration].contains { either(a, b, [$0]) }
                || either(a, b, [.int, .float]) ? .bool : nil
        case .contains, .startsWith, .endsWith, .matches:
            let fits = { (type: StaticType) in type == .string || type == .any || type == .null }
            return fits(a) && fits(b) ? .bool : nil
        case .in: return isMembership(a, b) ? .bool : nil
        case .add, .subtract, .multiply, .divide, .modulo, .power: return arithmetic(op, a, b)
        case .range: return either(a, b, [.int]) ? .list(.int) : nil
        case .coalesce: return a == .null ? b : a == b ? a : .any
        case .pipe: return .any
        }
    }

    /// Both of these types, or one of them and the other not known.
    private static func either(_ a: StaticType, _ b: StaticType, _ types: [StaticType]) -> Bool {
        let fits = { (type: StaticType) in type == .any || types.contains(type) }
        return fits(a) && fits(b)
    }

    private static func bothNumbers(_ a: StaticType, _ b: StaticType) -> Bool { a.isNumber && b.isNumber }

    private static func areComparable(_ a: StaticType, _ b: StaticType) -> Bool {
        if a == .any || b == .any || a == .null || b == .null || a == b || bothNumbers(a, b) { return true }
        switch (a, b) {
        case (.list, .list), (.map, .map), (.object, .object): return true
        default: return false
        }
    }

    private static func isMembership(_ value: StaticType, _ container: StaticType) -> Bool {
        switch container {
        case .any, .null: true
        case .list(let element): areComparable(value, element)
        case .map: value == .string || value == .any || value == .null
        case .object: value == .string || value == .any
        default: false
        }
    }

    private static func arithmetic(_ op: BinaryOperator, _ a: StaticType, _ b: StaticType) -> StaticType? {
        if bothNumbers(a, b) {
            switch op {
            case .divide, .power: return .float
            case .modulo: return a == .int && b == .int ? .int : nil
            default: return a == .int && b == .int ? .int : .float
            }
        }
        switch (op, a, b) {
        case (.add, .string, .string): return .string
        case (.add, .time, .duration), (.add, .duration, .time), (.subtract, .time, .duration): return .time
        case (.subtract, .time, .time): return .duration
        case (.add, .duration, .duration), (.subtract, .duration, .duration): return .duration
        case (.multiply, .duration, let other) where other.isNumber: return .duration
        case (.multiply, let other, .duration) where other.isNumber: return .duration
        default: break
        }
        guard a == .any || b == .any else { return nil }
        let known = a == .any ? b : a
        let allowed: [StaticType] =
            switch op {
            case .add: [.int, .float, .string, .time, .duration]
            case .subtract: [.int, .float, .time, .duration]
            case .multiply: [.int, .float, .duration]
            case .modulo: [.int]
            default: [.int, .float]
            }
        guard known == .any || allowed.contains(known) else { return nil }
        switch op {
        case .divide, .power: return .float
        case .modulo: return .int
        case .add where known == .string: return .string
        default: return .any
        }
    }
}
