import CrowdCore
import CrowdHTTP
import CrowdLAPI

/// `cscli decisions list`: alerts with active decisions, one row for each decision.
enum DecisionList {
    static let flags: [Flag] = [
        .toggle("all", "a", "Include decisions from Central API"),
        .span("since", "restrict to alerts newer than since (ie. 4h, 30d)"),
        .span("until", "restrict to alerts older than until (ie. 4h, 30d)"),
        .text("type", "t", "restrict to this decision type (ie. ban,captcha)"),
        .text("scope", nil, "restrict to this scope (ie. ip,range,session)"),
        .text(
            "origin", nil,
            "the value to match for the specified origin (cscli,crowdsec,console,cscli-import,lists,CAPI ...)"),
        .text("value", "v", "restrict to this value (ie. 1.2.3.4,userName)"),
        .text("scenario", "s", "restrict to this scenario (ie. crowdsecurity/ssh-bf)"),
        .text("ip", "i", "restrict to alerts from this source ip (shorthand for --scope ip --value <IP>)"),
        .text("range", "r", "restrict to alerts from this source range (shorthand for --scope range --value <RANGE>)"),
        .int("limit", "l", "number of alerts to get (use 0 to remove the limit)", default: 100),
        .toggle("no-simu", nil, "exclude decisions in simulation mode"),
        .toggle("machine", "m", "print machines that triggered decisions"),
        .toggle("contained", nil, "query decisions contained by range"),
    ]

    private struct Row {
        var alert: Alert
        var decision: Decision
    }

    static func run(_ call: Invocation) async throws {
        let path = "v1/alerts" + (try query(call)).text
        call.debug("GET \(path)")
        let answer = try await call.client().send(.get, path)
        let alerts = try Alert.list(from: answer.body, strict: false)
        var seen: Set<[String]> = []
        var skipped = 0
        var rows: [Row] = []
        for alert in alerts {
            for decision in alert.decisions ?? [] where !decision.duration.hasPrefix("-") {
                let key = ["\(alert.simulated)", decision.type, decision.scope, decision.value]
                if seen.insert(key).inserted {
                    rows.append(Row(alert: alert, decision: decision))
                } else {
                    skipped += 1
                }
            }
        }
        switch call.output {
        case .human: printTable(rows, skipped: skipped, call)
        case .raw: printRaw(rows, call)
        case .json:
            let json = try JSON.parse(answer.body)
            call.print(json.isNull ? "[]" : json.pretty)
        }
    }

    private static func query(_ call: Invocation) throws -> QueryString {
        var query = QueryString()
        try AlertQuery.addAddress(of: call, to: &query)
        AlertCommands.addFilters(of: call, to: &query)
        query.add("decision_type", call.flags.nonEmpty("type"))
        query.add("has_active_decision", "true")
        query.add("include_capi", call.flags.isOn("all") ? "true" : "false")
        if call.flags.isOn("no-simu") { query.add("simulated", "false") }
        query.add("limit", String(call.flags.int("limit")))
        return query
    }

    private static func printTable(_ rows: [Row], skipped: Int, _ call: Invocation) {
        guard !rows.isEmpty else { return call.print("No active decisions") }
        let withMachine = call.flags.isOn("machine")
        let header = [
            "ID", "Source", "Scope:Value", "Reason", "Action", "Country", "AS", "Events", "expiration", "Alert ID",
        ]
        var table = Table(withMachine ? header + ["Machine"] : header)
        table.rows = rows.map { row in
            let cells = [
                String(row.decision.id), row.decision.origin, "\(row.decision.scope):\(row.decision.value)",
                row.decision.scenario, (row.alert.simulated ? "(simul)" : "") + row.decision.type,
                row.alert.source.cn, row.alert.source.shownAS, String(row.alert.eventsCount), row.decision.duration,
                String(row.alert.id),
            ]
            return withMachine ? cells + [row.alert.machineID] : cells
        }
        call.terminal.print(table.text(.full), terminator: "")
        if skipped > 0 { call.print("\(skipped) duplicated entries skipped") }
    }

    private static func printRaw(_ rows: [Row], _ call: Invocation) {
        let withMachine = call.flags.isOn("machine")
        let header = [
            "id", "source", "ip", "reason", "action", "country", "as", "events_count", "expiration", "simulated",
            "alert_id",
        ]
        call.terminal.print(CSV.line(withMachine ? header + ["machine"] : header), terminator: "")
        for row in rows {
            let cells = [
                String(row.decision.id), row.decision.origin, "\(row.decision.scope):\(row.decision.value)",
                row.decision.scenario, row.decision.type, row.alert.source.cn, row.alert.source.shownAS,
                String(row.alert.eventsCount), row.decision.duration, String(row.alert.simulated),
                String(row.alert.id),
            ]
            call.terminal.print(CSV.line(withMachine ? cells + [row.alert.machineID] : cells), terminator: "")
        }
    }
}
