import CrowdCore

/// The operators on values of any kind (engine facts D.3).
enum Operations {
    static func equal(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.int, .float), (.float, .int), (.float, .float): a.number == b.number
        case (.string(let a), .string(let b)): a == b
        case (.time(let a), .time(let b)): a == b
        case (.duration(let a), .duration(let b)): a == b
        case (.list(let a), .list(let b)):
            a.items.count == b.items.count && zip(a.items, b.items).allSatisfy { equal($0, $1) }
        case (.map(let a), .map(let b)):
            a.count == b.count
                && zip(a.keys, a.values).allSatisfy { key, value in b.find(key).map { equal(value, $0) } ?? false }
        case (.object(let a), .object(let b)): a === b
        default: false
        }
    }

    /// nil when the two cannot be ordered.
    static func less(_ a: Value, _ b: Value) -> Bool? {
        switch (a, b) {
        case (.int(let a), .int(let b)): a < b
        case (.string(let a), .string(let b)): a < b
        case (.time(let a), .time(let b)): a < b
        case (.duration(let a), .duration(let b)): a < b
        default:
            if let a = a.number, let b = b.number { a < b } else { nil }
        }
    }

    static func order(_ op: BinaryOperator, _ a: Value, _ b: Value) throws(ValueError) -> Bool {
        let result: Bool? =
            switch op {
            case .less: less(a, b)
            case .greater: less(b, a)
            // not "not less": a NaN is neither
            case .lessOrEqual: orEqual(less(a, b), a, b)
            default: orEqual(less(b, a), a, b)
            }
        guard let result else { throw invalid(op, a, b) }
        return result
    }

    private static func orEqual(_ ordered: Bool?, _ a: Value, _ b: Value) -> Bool? {
        ordered.map { $0 || equal(a, b) }
    }

    static func invalid(_ op: BinaryOperator, _ a: Value, _ b: Value) -> ValueError {
        ValueError("invalid operation: \(a.kind) \(op.rawValue) \(b.kind)")
    }

    static func arithmetic(_ op: BinaryOperator, _ a: Value, _ b: Value, _ arena: Arena) throws(ValueError) -> Value {
        switch op {
        case .add: return try add(a, b, arena)
        case .subtract: return try subtract(a, b)
        case .multiply: return try multiply(a, b)
        case .divide:
            guard let x = a.number, let y = b.number else { throw invalid(op, a, b) }
            return .float(x / y)
        case .power:
            guard let x = a.number, let y = b.number else { throw invalid(op, a, b) }
            return .float(Numbers.power(x, y))
        case .modulo:
            guard case .int(let x) = a, case .int(let y) = b else { throw invalid(op, a, b) }
            guard y != 0 else { throw ValueError("integer divide by zero") }
            return .int(y == -1 ? 0 : x % y)
        default: throw invalid(op, a, b)
        }
    }

    static func add(_ a: Value, _ b: Value, _ arena: Arena) throws(ValueError) -> Value {
        switch (a, b) {
        case (.int(let a), .int(let b)): return .int(a &+ b)
        case (.string(let a), .string(let b)): return .string(arena.join(a, b))
        case (.time(let a), .duration(let b)), (.duration(let b), .time(let a)): return .time(a + b)
        case (.duration(let a), .duration(let b)): return .duration(a + b)
        default:
            guard let x = a.number, let y = b.number else { throw invalid(.add, a, b) }
            return .float(x + y)
        }
    }

    private static func subtract(_ a: Value, _ b: Value) throws(ValueError) -> Value {
        switch (a, b) {
        case (.int(let a), .int(let b)): return .int(a &- b)
        case (.time(let a), .time(let b)): return .duration(a - b)
        case (.time(let a), .duration(let b)): return .time(a - b)
        case (.duration(let a), .duration(let b)): return .duration(a + -b)
        default:
            guard let x = a.number, let y = b.number else { throw invalid(.subtract, a, b) }
            return .float(x - y)
        }
    }

    private static func multiply(_ a: Value, _ b: Value) throws(ValueError) -> Value {
        switch (a, b) {
        case (.int(let a), .int(let b)): return .int(a &* b)
        case (.duration(let span), .int(let times)), (.int(let times), .duration(let span)):
            return .duration(GoDuration(nanoseconds: span.nanoseconds &* times))
        case (.duration(let span), .float(let times)), (.float(let times), .duration(let span)):
            let product = Double(span.nanoseconds) * times
            guard product.magnitude < 9.2e18 else { throw ValueError("duration overflow") }
            return .duration(GoDuration(nanoseconds: Int64(product)))
        default:
            guard let x = a.number, let y = b.number else { throw invalid(.multiply, a, b) }
            return .float(x * y)
        }
    }

    static func negate(_ value: Value) throws(ValueError) -> Value {
        switch value {
        case .int(let number): return .int(0 &- number)
        case .float(let number): return .float(-number)
        case .duration(let span): return .duration(-span)
        default: throw ValueError("invalid operation: - \(value.kind)")
        }
    }

    /// Whether the container holds the value: element, key or field.
    static func contains(_ container: Value, _ value: Value) throws(ValueError) -> Bool {
        switch container {
        case .null: return false
        case .list(let list): return list.items.contains { equal($0, value) }
        case .map(let map):
            guard case .string(let key) = value else {
                if value.isNull { return false }
                throw ValueError("cannot use \(value.kind) as a key of a map")
            }
            return map.find(key) != nil
        case .object(let object):
            guard case .string(let name) = value else { return false }
            return object.type.field(named: String(name)) != nil
        default: throw ValueError("operator \"in\" not defined on \(container.kind)")
        }
    }

    static func index(_ container: Value, _ key: Value) throws(ValueError) -> Value {
        switch container {
        case .list(let list):
            let at = try position(key, count: list.items.count)
            return list.items[at]
        case .string(let text):
            let at = try position(key, count: text.count)
            return .int(Int64(text[at]))
        case .map(let map):
            guard case .string(let name) = key else {
                if key.isNull { return map.missing }
                throw ValueError("cannot use \(key.kind) as a key of a map")
            }
            return map.find(name) ?? map.missing
        case .object(let object):
            guard case .string(let name) = key else { break }
            guard let field = object.type.field(named: String(name)) else { break }
            return object.field(field.index)
        default: break
        }
        throw ValueError("cannot fetch \(describe(key)) from \(container.kind)")
    }

    private static func position(_ key: Value, count: Int) throws(ValueError) -> Int {
        guard let number = key.number, number.magnitude < 1e15 else {
            throw ValueError("cannot use \(key.kind) as an index")
        }
        let index = Int(number)
        let at = index < 0 ? count + index : index
        guard at >= 0, at < count else { throw ValueError("index out of range: \(index) (array length is \(count))") }
        return at
    }

    static func describe(_ value: Value) -> String {
        switch value {
        case .string(let text): String(text)
        case .int(let number): String(number)
        default: value.kind
        }
    }

    static func slice(_ container: Value, from: Value?, to: Value?) throws(ValueError) -> Value {
        switch container {
        case .list(let list):
            return .list(ListValue(Array(list.items[try part(ofCount: list.items.count, from: from, to: to)])))
        case .string(let text): return .string(text[try part(ofCount: text.count, from: from, to: to)])
        default: throw ValueError("cannot slice \(container.kind)")
        }
    }

    /// The places between two indices, of which negative ones count from the end.
    static func part(ofCount count: Int, from: Value?, to: Value?) throws(ValueError) -> Range<Int> {
        func bound(_ value: Value?, _ standard: Int) throws(ValueError) -> Int {
            guard let value else { return standard }
            guard let number = value.number, number.magnitude < 1e15 else {
                throw ValueError("cannot use \(value.kind) as an index")
            }
            let index = Int(number)
            return min(max(index < 0 ? count + index : index, 0), count)
        }
        let end = try bound(to, count)
        return min(try bound(from, 0), end)..<end
    }
}
