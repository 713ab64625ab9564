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
        var previous = Changes.fields(of: nil)
        var stages: [String] = []
        for result in results where !stages.contains(result.stage) { stages.append(result.stage) }
        for stage in stages {
            rows.append("\t├ \(stage)")
            let turns = results.filter { $0.stage == stage && ($0.succeeded || !options.onlySuccessfulParsers) }
            for (index, turn) in turns.enumerated() {
                let changes = Changes(from: previous, to: Changes.fields(of: turn.event))
                let branch = index == turns.count - 1 ? "└" : "├"
                rows.append(row(turn, changes, branch))
                if turn.succeeded {
                    if options.isVerbose { rows += changes.rows.map { "\t|\t\t\(branch) \($0)" } }
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
        return rows.joined(separator: "\n").printable + "\n"
    }

    private func row(_ turn: Recorder.NodeResult, _ changes: Changes, _ branch: String) -> String {
        guard turn.succeeded else { return "\t|\t\(branch) 🔴 \(turn.node)" }
        return "\t|\t\(branch) 🟢 \(turn.node) (\(changes.summary))"
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

extension EventDump {
    /// A text field, empty when it is none.
    func text(_ field: Int) -> String {
        if case .string(let text) = self.field(field) { String(text) } else { "" }
    }
}
