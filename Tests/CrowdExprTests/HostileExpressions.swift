import CrowdCore
import Testing

@testable import CrowdExpr

/// Whatever is written, an expression gives a value or an error.
@Suite("Hostile expressions") struct HostileExpressions {
    /// A generator of its own, so that a failure can be repeated.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) ^ (state << 31)
        }
    }

    private static let atoms = [
        "nil", "true", "0", "-1", "9223372036854775807", "1e308", "0.5", "''", "'é'", "\"a\\u0000b\"", "[]",
        "[1, 'a', nil]",
        "{}", "{a: 1, 'b': [2]}", "1..3", "evt", "evt.Parsed", "evt.Parsed.x", "evt.Meta", "evt.Unmarshaled",
        "evt.Line.Raw", "evt.Line.Labels", "evt.Overflow", "evt.Time", "now()", "duration('1h')", "date('2024-01-31')",
        "'{\"a\": [1, {\"b\": 2}]}'", "'<a b=\"c\">d</a>'", "'192.0.2.1'", "'%s %d'", "#", ".x",
    ]
    private static let operators = [
        "+", "-", "*", "/", "%", "**", "==", "!=", "<", ">=", "and", "or", "in", "not in", "contains", "startsWith",
        "endsWith", "matches", "..", "??", "|",
    ]
    private static let predicates = [
        "all", "any", "none", "one", "filter", "map", "find", "findIndex", "findLast", "count", "sum", "groupBy",
        "sortBy",
        "reduce",
    ]

    private func atom(_ type: StaticType, _ dice: inout Dice) -> String {
        let list =
            switch type {
            case .string: Self.atoms.filter { $0.hasPrefix("'") || $0.hasPrefix("\"") || $0.hasSuffix("Raw") }
            case .int, .float: Self.atoms.filter { $0.first?.isNumber ?? false || $0.hasPrefix("-") }
            case .list: ["[]", "[1, 2, 3]", "['a', 'b']", "[[1], nil]", "1..5", "[now(), now()]"]
            case .map: ["{}", "{a: 1}", "evt.Parsed", "evt.Unmarshaled"]
            default: Self.atoms
            }
        return list.randomElement(using: &dice) ?? "nil"
    }

    /// A call with arguments of the declared kinds, mostly, and as many as are wanted, mostly.
    private func call(_ functions: [Function], _ dice: inout Dice, depth: Int) -> String {
        guard let function = functions.randomElement(using: &dice) else { return "nil" }
        var types = function.parameters
        if function.isVariadic, let last = types.last { types += [last, last] }
        let count =
            dice.next() % 8 == 0
            ? Int.random(in: 0...4, using: &dice)
            : Int.random(
                in: min(function.required, types.count)...types.count, using: &dice)
        let arguments = (0..<count).map { index in
            dice.next() % 4 == 0 || index >= types.count
                ? text(functions, &dice, depth: depth - 1) : atom(types[index], &dice)
        }
        return "\(function.name)(\(arguments.joined(separator: ", ")))"
    }

    private func text(_ functions: [Function], _ dice: inout Dice, depth: Int) -> String {
        func pick(_ list: [String]) -> String { list.randomElement(using: &dice) ?? "nil" }
        guard depth > 0 else { return pick(Self.atoms) }
        func inner() -> String { text(functions, &dice, depth: depth - 1) }
        switch Int.random(in: 0..<9, using: &dice) {
        case 0, 1, 2: return call(functions, &dice, depth: depth)
        case 3: return "\(pick(Self.predicates))(\(inner()), \(inner()))"
        case 4: return "(\(inner()) \(pick(Self.operators)) \(inner()))"
        case 5: return "\(inner())[\(inner()):\(inner())]"
        case 6: return "\(inner())?.\(pick(["a", "x", "Year()", "GetMeta('x')", "[0]"]))"
        case 7: return "(\(inner()) ? \(inner()) : \(inner()))"
        default: return pick(["not ", "-", "!", "let x = 1; "]) + inner()
        }
    }

    @Test(arguments: 1...8) func everyOneGivesAValueOrAnError(seed: UInt64) {
        var environment = Environment(functions: CrowdSecFunctions.all())
        environment.declareEvent()
        let functions = (Array(environment.functions.values) + Builtins.functions.values).sorted { $0.name < $1.name }
        #expect(functions.count > 100)
        let machine = Machine(event: Event(keys: environment.keys))
        var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
        var values = 0
        for round in 0..<2_000 {
            machine.event.reset()
            machine.event.line.raw = ByteSlice("raw")
            let source = text(functions, &dice, depth: 1 + round % 4)
            guard let program = try? Program(source, in: environment) else { continue }
            if let value = try? program.value(on: machine) {
                values += 1
                _ = try? ValueJSON.text(value)
            }
        }
        // Were none of them valid, nothing would have been tried.
        #expect(values > 100)
    }

    /// Letters thrown together, and pieces of valid expressions.
    @Test func everyTextIsReadOrRefused() {
        var environment = Environment(functions: CrowdSecFunctions.all())
        environment.declareEvent()
        let pieces = Array("()[]{}.,:;?#|&!=<>+-*/%^~'\"`\\ \n\t0123456789abxeEnu_$é\u{0}".unicodeScalars)
        var dice = Dice(state: 7)
        for _ in 0..<20_000 {
            var source = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...40, using: &dice) {
                source.append(pieces.randomElement(using: &dice) ?? " ")
            }
            _ = try? Program(String(source), in: environment)
        }
        for depth in [1_000, 100_000] {
            for (open, close) in [
                ("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("a?.", ""), ("{a: ", "}"), ("x ? ", ""),
            ] {
                let source = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
                _ = try? Program(source, in: environment)
            }
        }
    }
}
