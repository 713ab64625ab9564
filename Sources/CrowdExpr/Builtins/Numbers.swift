import CrowdCore
import Glibc

enum Numbers {
    static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

    /// Go's strict decimal integer.
    static func int(_ text: ByteSlice) -> Int64? {
        guard text.count > 0, text.count <= 20 else { return nil }
        return Int64(String(text))
    }

    static func double(_ text: ByteSlice) -> Double? {
        let string = String(text)
        guard !string.isEmpty, string.utf8.count < 400, string.utf8.allSatisfy({ $0 > 32 }) else { return nil }
        return Double(string)
    }
}

/// Arithmetic, conversions, statistics, bits.
enum NumberFunctions {
    static let all: [Function] = [
        Function("abs", [.any], .any) { call throws(ValueError) in
            switch call[0] {
            case .int(let value): .int(value < 0 ? 0 &- value : value)
            case .float(let value): .float(value.magnitude)
            default: throw ValueError("invalid argument for abs (type \(call[0].kind))")
            }
        },
        rounding("ceil") { $0.rounded(.up) },
        rounding("floor") { $0.rounded(.down) },
        rounding("round") { $0.rounded(.toNearestOrAwayFromZero) },
        Function("int", [.any], .int) { call throws(ValueError) in
            switch call[0] {
            case .int: return call[0]
            case .duration(let span): return .int(span.nanoseconds)
            case .float(let value):
                return .int(value.isFinite && value.magnitude < 9.2e18 ? Int64(value) : .min)
            case .string(let text):
                guard let value = Numbers.int(text) else { throw ValueError("invalid operation: int(\"\(text)\")") }
                return .int(value)
            default: throw ValueError("invalid operation: int(\(call[0].kind))")
            }
        },
        Function("float", [.any], .float) { call throws(ValueError) in
            if let value = call[0].number { return .float(value) }
            guard case .string(let text) = call[0], let value = Numbers.double(text) else {
                throw ValueError("invalid operation: float(\(Operations.describe(call[0])))")
            }
            return .float(value)
        },
        extreme("max") { Operations.less($0, $1) == true },
        extreme("min") { Operations.less($1, $0) == true },
        statistic("mean") { values in values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) },
        statistic("median") { values in
            guard !values.isEmpty else { return 0 }
            let sorted = values.sorted()
            let middle = sorted.count / 2
            return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        },
        bits("bitand", &), bits("bitor", |), bits("bitxor", ^), bits("bitnand") { $0 & ~$1 },
        Function("bitnot", [.int], .int) { call throws(ValueError) in .int(Int64(~(try call.int(0)))) },
        shift("bitshl") { $0 << $1 }, shift("bitshr") { $0 >> $1 },
        shift("bitushr") { Int64(bitPattern: UInt64(bitPattern: $0) >> UInt64($1)) },
    ]

    private static func rounding(_ name: String, _ body: @escaping @Sendable (Double) -> Double) -> Function {
        Function(name, [.any], .float) { call throws(ValueError) in
            guard let value = call[0].number else {
                throw ValueError("invalid argument for \(name) (type \(call[0].kind))")
            }
            return .float(body(value))
        }
    }

    /// Numbers given one by one, in lists, or both.
    private static func numbers(_ values: [Value], _ name: String) throws(ValueError) -> [Value] {
        var numbers: [Value] = []
        for value in values {
            switch value {
            case .int, .float: numbers.append(value)
            case .list(let list): numbers += try self.numbers(list.items, name)
            default: throw ValueError("invalid argument for \(name) (type \(value.kind))")
            }
        }
        return numbers
    }

    private static func extreme(_ name: String, _ replaces: @escaping @Sendable (Value, Value) -> Bool) -> Function {
        Function(name, [.any], variadic: true, .any) { call throws(ValueError) in
            let values = try numbers(call.all, name)
            guard var best = values.first else { return .null }
            for value in values.dropFirst() where replaces(best, value) { best = value }
            return best
        }
    }

    private static func statistic(_ name: String, _ body: @escaping @Sendable ([Double]) -> Double) -> Function {
        Function(name, [.any], variadic: true, .float) { call throws(ValueError) in
            .float(body(try numbers(call.all, name).compactMap(\.number)))
        }
    }

    private static func bits(_ name: String, _ body: @escaping @Sendable (Int64, Int64) -> Int64) -> Function {
        Function(name, [.int, .int], .int) { call throws(ValueError) in
            .int(body(Int64(try call.int(0)), Int64(try call.int(1))))
        }
    }

    private static func shift(_ name: String, _ body: @escaping @Sendable (Int64, Int) -> Int64) -> Function {
        Function(name, [.int, .int], .int) { call throws(ValueError) in
            let (value, count) = (Int64(try call.int(0)), try call.int(1))
            guard count >= 0 else { throw ValueError("invalid operation: negative shift count \(count)") }
            return .int(body(value, min(count, 64)))
        }
    }
}
