import CrowdCore
import CrowdEngine

/// Assertions that hold for what a test gave: what its author starts from (engine facts G.4).
enum GeneratedAssertions {
    /// For `parser.assert`: what every node made of every line.
    static func parsers(_ recorder: Recorder) -> [String] {
        var stages: [String: [String: [Recorder.NodeResult]]] = [:]
        for result in recorder.results { stages[result.stage, default: [:]][result.node, default: []].append(result) }
        var lines = ["len(results) == \(stages.count + 1)"]
        for (stage, nodes) in stages.sorted(by: { $0.key < $1.key }) {
            for (node, results) in nodes.sorted(by: { $0.key < $1.key }) {
                let place = "results[\(stage.inDoubleQuotes)][\(node.inDoubleQuotes)]"
                lines.append("len(\(place)) == \(results.count)")
                for (index, result) in results.enumerated() { lines += turn(result, "\(place)[\(index)]") }
            }
        }
        return lines + ["len(results[\"success\"][\"\"]) == 0"]
    }

    private static func turn(_ result: Recorder.NodeResult, _ place: String) -> [String] {
        typealias Field = EventTypes.EventField
        guard result.succeeded else { return ["\(place).Success == false"] }
        var lines = ["\(place).Success == true"]
        for (field, name) in [(Field.parsed, "Parsed"), (Field.meta, "Meta"), (Field.enriched, "Enriched")] {
            for (key, value) in result.event.texts(field).sorted(by: { $0.name < $1.name }) where !value.isEmpty {
                lines.append(comparison("\(place).Evt.\(name)[\(key.inDoubleQuotes)]", value.inDoubleQuotes))
            }
        }
        lines += json(result.event.field(Field.unmarshaled), "\(place).Evt.Unmarshaled")
        lines.append("\(place).Evt.Whitelisted == \(result.event.isWhitelisted)")
        let reason = result.event.text(Field.whitelistReason)
        if !reason.isEmpty { lines.append("\(place).Evt.WhitelistReason == \(reason.inDoubleQuotes)") }
        return lines
    }

    /// Texts, whole numbers and truth values, however deep.
    private static func json(_ value: Value, _ place: String) -> [String] {
        switch value {
        case .map(let map):
            return zip(map.keys.map { String($0) }, map.values).sorted { $0.0 < $1.0 }
                .flatMap { json($0.1, "\(place)[\($0.0.inDoubleQuotes)]") }
        case .list(let list): return list.items.enumerated().flatMap { json($0.element, "\(place)[\($0.offset)]") }
        case .string(let text): return ["\(place) == \(String(text).inDoubleQuotes)"]
        case .bool(let holds): return ["\(place) == \(holds)"]
        case .int(let number): return ["\(place) == \(number)"]
        case .float(let number):
            if number.magnitude < 1e15, number == number.rounded() { return ["\(place) == \(Int64(number))"] }
            return ["FloatApproxEqual(\(place), \(number))"]
        default: return []
        }
    }

    /// For `scenario.assert`: the overflows, in the order in which assertions see them.
    static func scenarios(_ recorder: Recorder) -> [String] {
        let results = ScenarioResults.value(recorder)
        let assertions = HubAssertions(results, ScenarioResults.type)
        guard case .list(let overflows) = results else { return [] }
        var lines = ["len(results) == \(overflows.items.count)"]
        func ask(_ expression: String) -> Value { (try? assertions.value(of: expression)) ?? .null }
        func text(_ expression: String) -> String {
            switch ask(expression) {
            case .string(let text): String(text).inDoubleQuotes
            case .bool(let holds): "\(holds)"
            case .int(let number): "\(number)"
            default: "nil"
            }
        }
        for index in overflows.items.indices {
            let overflow = "results[\(index)].Overflow"
            if case .list(let sources) = ask("\(overflow).GetSources()") {
                for case .string(let source) in sources.items.sorted(by: isBefore) {
                    let name = String(source).inDoubleQuotes
                    lines.append("\(name) in \(overflow).GetSources()")
                    for field in ["IP", "Range", "GetScope()", "GetValue()"] {
                        let place = "\(overflow).Sources[\(name)].\(field)"
                        lines.append("\(place) == \(text(place))")
                    }
                }
            }
            if case .int(let count) = ask("len(\(overflow).Alert.Events)") {
                for event in 0..<count { lines += meta("\(overflow).Alert.Events[\(event)]", ask) }
            }
            for field in ["GetScenario()", "Remediation", "GetEventsCount()"] {
                let place = "\(overflow).Alert.\(field)"
                lines.append("\(place) == \(text(place))")
            }
        }
        return lines
    }

    private static func meta(_ event: String, _ ask: (String) -> Value) -> [String] {
        guard case .list(let keys) = ask("map(\(event).Meta, #.Key)") else { return [] }
        return keys.items.sorted(by: isBefore).compactMap { key in
            guard case .string(let name) = key else { return nil }
            let place = "\(event).GetMeta(\(String(name).inDoubleQuotes))"
            guard case .string(let value) = ask(place) else { return nil }
            return comparison(place, String(value).inDoubleQuotes)
        }
    }

    private static func isBefore(_ a: Value, _ b: Value) -> Bool {
        guard case .string(let a) = a, case .string(let b) = b else { return false }
        return String(a) < String(b)
    }

    /// Paths differ from host to host.
    private static func comparison(_ place: String, _ value: String) -> String {
        guard place.contains("datasource_path") else { return "\(place) == \(value)" }
        let name = value.split(separator: "/").last.map(String.init) ?? value
        return "basename(\(place)) == \(name.hasPrefix("\"") ? name : "\"" + name)"
    }
}
