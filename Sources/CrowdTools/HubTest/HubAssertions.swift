import CrowdCore
import CrowdEngine
import CrowdExpr

/// Evaluates the lines of an assertion file (engine facts G.4).
struct HubAssertions {
    enum Verdict {
        case holds
        case fails(String?)
        case ignored
    }

    private let environment: Environment
    private let machine: Machine

    init(_ results: Value, _ type: StaticType) {
        var environment = Environment(functions: CrowdSecFunctions.all())
        environment.declare("results", type)
        self.environment = environment
        machine = Machine(event: Event(keys: environment.keys), variables: [results])
    }

    func value(of expression: String) throws(ExprError) -> Value {
        machine.event.reset()
        return try Program(expression, in: environment).value(on: machine)
    }

    /// - Parameter strict: count a false line without ` == ` as a failure; the reference does not in `scenario.assert`.
    mutating func judge(_ line: String, strict: Bool) throws -> Verdict {
        let line = HubAssertions.shimmed(line)
        let value: Value
        do {
            value = try self.value(of: line)
        } catch {
            throw CommandError("unable to evaluate '\(line)': \(error.message)")
        }
        guard case .bool(let holds) = value else { throw CommandError("'\(line)' is not a condition") }
        if holds { return .holds }
        guard let left = HubAssertions.leftSide(line) else { return strict ? .fails(nil) : .ignored }
        guard let found = try? self.value(of: left) else { return .ignored }
        return .fails((try? ValueJSON.text(found)) ?? found.kind)
    }

    /// Results of the same scenario and sources have no order among themselves once there are more than twelve: the
    /// reference's sort is not stable then. They are put where the lines about their place hold.
    func settleTies(_ lines: [String], ties: [Range<Int>]) {
        guard case .list(let results) = machine.variables[0], results.items.count > 12 else { return }
        for tie in ties where tie.count > 1 {
            for place in tie {
                let about = lines.filter { $0.contains("results[\(place)]") }
                for candidate in place..<tie.upperBound {
                    results.items.swapAt(place, candidate)
                    if about.allSatisfy(holds) { break }
                    results.items.swapAt(place, candidate)
                }
            }
        }
    }

    private func holds(_ line: String) -> Bool {
        guard let value = try? value(of: HubAssertions.shimmed(line)) else { return false }
        if case .bool(true) = value { return true }
        return HubAssertions.leftSide(line) == nil
    }

    /// Paths differ from host to host: a comparison of `datasource_path` is of base names.
    private static func shimmed(_ line: String) -> String {
        guard line.contains("datasource_path"), !line.contains("basename(") else { return line }
        let sides = line.parts(between: "==")
        guard sides.count > 1 else { return line }
        return "basename(\(sides[0])) == \(sides[1])"
    }

    /// The run without blanks and `=` before the last ` == `.
    private static func leftSide(_ line: String) -> String? {
        let sides = line.parts(between: " == ")
        guard sides.count > 1, let left = sides[0].split(whereSeparator: { $0 == " " || $0 == "=" }).last else {
            return nil
        }
        return String(left)
    }
}

extension String {
    fileprivate func parts(between separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let place = rest.range(ofFirst: separator) {
            parts.append(String(rest[..<place.lowerBound]))
            rest = rest[place.upperBound...]
        }
        return parts + [String(rest)]
    }
}

/// `results` of `parser.assert`: stage to node to turns.
enum ParserResults {
    private static let turn = ObjectType("dumps.ParserResult")
        .field("Idx", 0, .int).field("Evt", 1, .object(EventTypes.event)).field("Success", 2, .bool)

    static let type = StaticType.map(.map(.list(.object(turn))))

    private final class Turn: ValueObject {
        let result: Recorder.NodeResult
        /// Of the node, among those of its stage that had a turn, from 1.
        let place: Int
        init(_ result: Recorder.NodeResult, _ place: Int) { (self.result, self.place) = (result, place) }
        var type: ObjectType { ParserResults.turn }
        func field(_ index: Int) -> Value {
            switch index {
            case 0: .int(Int64(place))
            case 1: .object(result.event)
            default: .bool(result.succeeded)
            }
        }
    }

    static func value(_ recorder: Recorder) -> Value {
        let none = Value.list(ListValue([]))
        let stages = MapValue(missing: .map(MapValue(missing: none)))
        func nodes(_ stage: String) -> MapValue {
            if case .map(let nodes)? = stages.find(Immortal.copy(stage)) { return nodes }
            let nodes = MapValue(missing: none)
            stages.set(Immortal.copy(stage), .map(nodes))
            return nodes
        }
        for result in recorder.results {
            let nodes = nodes(result.stage)
            let name = Immortal.copy(result.node)
            if case .list(let turns)? = nodes.find(name), case .object(let first)? = turns.items.first {
                turns.items.append(.object(Turn(result, (first as? Turn)?.place ?? 0)))
            } else {
                nodes.set(name, .list(ListValue([.object(Turn(result, nodes.count + 1))])))
            }
        }
        // The reference's dump has this artificial stage, and tests count it.
        nodes("success").set(ByteSlice(""), none)
        return .map(stages)
    }
}

/// `results` of `scenario.assert`: overflows, sorted as the reference sorts them (engine facts G.5).
enum ScenarioResults {
    static let type = StaticType.list(.object(EventTypes.event))

    static func value(_ recorder: Recorder) -> Value {
        let sorted = recorder.overflows.map { (key: sortKey($0), event: $0) }.enumerated().sorted { a, b in
            a.element.key != b.element.key ? a.element.key > b.element.key : a.offset < b.offset
        }
        return .list(ListValue(sorted.map { .object($0.element.event) }))
    }

    /// Places of results that the order does not tell apart.
    static func ties(_ recorder: Recorder) -> [Range<Int>] {
        let keys = recorder.overflows.map(sortKey).sorted { $0 > $1 }
        var ties: [Range<Int>] = []
        var start = 0
        for index in 1..<max(keys.count, 1) where keys[index] != keys[start] {
            ties.append(start..<index)
            start = index
        }
        return ties + [start..<keys.count]
    }

    private static func sortKey(_ event: EventDump) -> [UInt8Comparable] {
        guard case .object(let overflow) = event.field(EventTypes.EventField.overflow),
            case .object(let alert) = overflow.field(5), case .string(let scenario) = alert.field(13),
            case .map(let sources) = overflow.field(4)
        else { return [] }
        let text = String(scenario) + sources.keys.map { String($0) }.joined(separator: "@")
        return text.utf8.map(UInt8Comparable.init)
    }

    /// Arrays of bytes compared as Go compares strings.
    struct UInt8Comparable: Comparable {
        let byte: UInt8
        init(_ byte: UInt8) { self.byte = byte }
        static func < (a: Self, b: Self) -> Bool { a.byte < b.byte }
    }
}

extension [ScenarioResults.UInt8Comparable] {
    fileprivate static func > (a: Self, b: Self) -> Bool { b.lexicographicallyPrecedes(a) }
}
