import CrowdCore
import CrowdEngine
import CrowdExpr

/// What the engine did with one line, as a tree (surface facts A.12).
struct Explanation {
    struct Options: Sendable {
        /// Show every change of the event.
        var isVerbose = false
        /// Only lines that were not parsed.
        var onlyFailures = false
        var onlySuccessfulParsers = false
    }

    let line: String
    let results: [Recorder.NodeResult]
    let scenarios: [String]
    let wasParsed: Bool
    /// The node that came nearest, when none took the line.
    var nearest: NearestNode?

    /// The tree, or nil when the options leave the line out.
    func text(_ options: Options) -> String? {
        if options.onlyFailures, wasParsed { return nil }
        var rows = ["line: \(line)"]
        var previous: [String: String] = [:]
        var stages: [String] = []
        for result in results where !stages.contains(result.stage) { stages.append(result.stage) }
        for stage in stages {
            rows.append("\t├ \(stage)")
            let turns = results.filter { $0.stage == stage && ($0.succeeded || !options.onlySuccessfulParsers) }
            for (index, turn) in turns.enumerated() {
                let changes = Changes(from: previous, to: Changes.flattened(turn.event))
                rows.append(row(turn, changes, isLast: index == turns.count - 1))
                if turn.succeeded {
                    if options.isVerbose { rows += changes.rows }
                    previous = changes.after
                }
            }
        }
        rows.append(verdict)
        if !scenarios.isEmpty {
            rows.append("\t├ Scenarios")
            for (index, name) in scenarios.enumerated() {
                rows.append("\t\t\(index == scenarios.count - 1 ? "└" : "├") 🟢 \(name)")
            }
        }
        return rows.joined(separator: "\n") + "\n"
    }

    private func row(_ turn: Recorder.NodeResult, _ changes: Changes, isLast: Bool) -> String {
        let branch = isLast ? "└" : "├"
        guard turn.succeeded else { return "\t|\t\(branch) 🔴 \(turn.node)" }
        return "\t|\t\(branch) 🟢 \(turn.node) (\(changes.summary(isWhitelisted: turn.event.isWhitelisted)))"
    }

    /// Where the pattern that matched most of the line stopped matching it.
    private func hint(_ nearest: NearestNode) -> String {
        let bytes = Array(nearest.subject.utf8)
        let before = String(decoding: bytes[..<nearest.matched.upperBound].suffix(30), as: UTF8.self)
        let after = String(decoding: bytes[nearest.matched.upperBound...].prefix(30), as: UTF8.self)
        return """
            \n\t          nearest: \(nearest.node) (\(nearest.stage)), up to column \(nearest.matched.upperBound + 1)
            \t          line:    \(before)▸\(after.isEmpty ? "(end of line)" : after)
            \t          pattern: \(nearest.expected)
            """
    }

    private var verdict: String {
        guard wasParsed else { return "\t└-------- parser failure 🔴" + (nearest.map(hint) ?? "") }
        if let last = results.last, last.event.isWhitelisted {
            let reason = last.event.text(EventTypes.EventField.whitelistReason)
            return "\t└-------- parser success, ignored by whitelist (\(reason)) 🟢"
        }
        return "\t├-------- parser success 🟢"
    }
}

/// What differs between an event before and after a node.
struct Changes {
    let after: [String: String]
    private let created: [String]
    private let updated: [(name: String, before: String)]
    private let deleted: [String]

    init(from before: [String: String], to after: [String: String]) {
        self.after = after
        created = after.keys.filter { before[$0] == nil }.sorted()
        updated = after.keys.compactMap { name in
            before[name].flatMap { $0 != after[name] ? (name: name, before: $0) : nil }
        }.sorted { $0.name < $1.name }
        deleted = before.keys.filter { after[$0] == nil }.sorted()
    }

    func summary(isWhitelisted: Bool) -> String {
        let counts = [("+", created.count), ("~", updated.count), ("-", deleted.count)].filter { $0.1 > 0 }
        let text = counts.map { "\($0.0)\($0.1)" }.joined(separator: " ")
        let whitelisted = isWhitelisted ? (text.isEmpty ? "[whitelisted]" : " [whitelisted]") : ""
        return text.isEmpty && whitelisted.isEmpty ? "unchanged" : text + whitelisted
    }

    var rows: [String] {
        let lines =
            created.map { "create \($0) : \(after[$0] ?? "")" }
            + updated.map { "update \($0.name) : \($0.before) -> \(after[$0.name] ?? "")" }
            + deleted.map { "delete \($0)" }
        return lines.enumerated().map { "\t|\t\t\($0.offset == lines.count - 1 ? "└" : "├") \($0.element)" }
    }

    /// The event's texts under the names by which rules reach them.
    static func flattened(_ event: EventDump) -> [String: String] {
        typealias Field = EventTypes.EventField
        var all: [String: String] = [:]
        for (map, name) in [(Field.parsed, "Parsed"), (Field.meta, "Meta"), (Field.enriched, "Enriched")] {
            for (key, value) in event.texts(map) { all["evt.\(name).\(key)"] = value }
        }
        if case .map(let json) = event.field(Field.unmarshaled) {
            for (key, value) in zip(json.keys, json.values) {
                all["evt.Unmarshaled.\(key)"] = (try? ValueJSON.text(value, escapingHTML: false)) ?? ""
            }
        }
        let texts = [
            (Field.strTime, "StrTime"), (Field.marshaledTime, "MarshaledTime"),
            (Field.whitelistReason, "WhitelistReason"),
            (Field.stage, "Stage"),
        ]
        for (field, name) in texts where !event.text(field).isEmpty { all["evt.\(name)"] = event.text(field) }
        return all
    }
}

extension EventDump {
    /// A text field, empty when it is none.
    func text(_ field: Int) -> String {
        if case .string(let text) = self.field(field) { String(text) } else { "" }
    }
}
