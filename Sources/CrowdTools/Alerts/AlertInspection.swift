import CrowdCore
import CrowdHTTP
import CrowdLAPI

/// `cscli alerts inspect`.
enum AlertInspection {
    static func run(_ call: Invocation) async throws {
        let client = try call.client()
        for word in call.words {
            guard Int64(word) != nil else { throw CommandError("bad alert id \(word)") }
            let answer = try await client.send(.get, "v1/alerts/\(word)")
            let json = try JSON.parse(answer.body)
            switch call.output {
            case .json: call.print(json.pretty)
            case .raw: call.print(yaml(json))
            case .human:
                guard let alert = try Alert.list(from: [0x5B] + answer.body + [0x5D], strict: false).first else {
                    throw CommandError("the Local API answered no alert")
                }
                show(alert, call)
            }
        }
    }

    private static func show(_ alert: Alert, _ call: Invocation) {
        call.print("\n" + String(repeating: "#", count: 96) + "\n")
        for (label, value) in facts(of: alert) { call.print(" - \(label.padded(to: 14)): \(value.printable)") }
        showDecisions(of: alert, call)
        showContext(of: alert, call)
        guard call.flags.isOn("details") else { return }
        call.print("\n - Events  :")
        for event in alert.events {
            var table = Table(["Key", "Value"])
            table.rows = (event.meta ?? []).sorted { $0.key < $1.key }.map { [$0.key, $0.value] }
            call.print("\n- Date: \(event.timestamp.printable)")
            call.terminal.print(table.text(.full), terminator: "")
        }
    }

    private static func facts(of alert: Alert) -> [(String, String)] {
        [
            ("ID", String(alert.id)), ("Date", alert.createdAt), ("Machine", alert.machineID),
            ("Simulation", String(alert.simulated)), ("Remediation", String(alert.remediation)), ("Kind", alert.kind),
            ("Reason", alert.scenario), ("Events Count", String(alert.eventsCount)),
            ("Scope:Value", "\(alert.source.scope):\(alert.source.value)"), ("Country", alert.source.cn),
            ("AS", alert.source.shownAS), ("Begin", alert.startAt), ("End", alert.stopAt), ("UUID", alert.uuid),
        ]
    }

    private static func showDecisions(of alert: Alert, _ call: Invocation) {
        let active = (alert.decisions ?? []).filter { !$0.duration.hasPrefix("-") }
        guard !active.isEmpty else { return }
        var table = Table(["ID", "scope:value", "action", "expiration", "created_at"], title: "Active Decisions")
        table.rows = active.map { decision in
            [
                String(decision.id), "\(decision.scope):\(decision.value)", decision.type, decision.duration,
                alert.createdAt,
            ]
        }
        call.print("")
        call.terminal.print(table.text(.full), terminator: "")
    }

    /// Each value is a JSON array of strings: a row for each.
    private static func showContext(of alert: Alert, _ call: Invocation) {
        guard !alert.meta.isEmpty else { return }
        var table = Table(["Key", "Value"], title: "Context")
        for item in alert.meta.sorted(by: { $0.key < $1.key }) {
            let values = (try? JSON.parse(Array(item.value.utf8)))?.array?.compactMap(\.string) ?? [item.value]
            table.rows += values.map { [item.key, $0] }
        }
        call.print("")
        call.terminal.print(table.text(.full), terminator: "")
    }

    private static func yaml(_ json: JSON, indent: Int = 0) -> String {
        let space = String(repeating: " ", count: indent)
        switch json {
        case .object(let members):
            return members.map { member in
                isBlock(member.value)
                    ? "\(space)\(member.key):\n\(yaml(member.value, indent: indent + 4))"
                    : "\(space)\(member.key): \(member.value.compact)"
            }.joined(separator: "\n")
        case .array(let elements):
            return elements.map { element in
                "\(space)- " + yaml(element, indent: indent + 2).drop { $0 == " " }
            }.joined(separator: "\n")
        default: return space + json.compact
        }
    }

    private static func isBlock(_ json: JSON) -> Bool {
        switch json {
        case .object(let members): !members.isEmpty
        case .array(let elements): !elements.isEmpty
        default: false
        }
    }
}
