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

    private struct State {
        var printer: RowPrinter
        var seen: Set<String> = []
        var skipped = 0
    }

    static func run(_ call: Invocation) async throws {
        let path = "v1/alerts" + (try query(call)).text
        call.debug("GET \(path)")
        let withMachine = call.flags.isOn("machine")
        let header = (call.output == .raw ? rawHeader : tableHeader)
        let machine = call.output == .raw ? "machine" : "Machine"
        let printer = RowPrinter(call, header: withMachine ? header + [machine] : header)
        let isRaw = call.output == .raw
        var state = try await AlertStream.read(path, call, State(printer: printer)) { alert, json, state in
            if let json { return state.printer.add(json: json) }
            for decision in alert.decisions ?? [] where !decision.duration.hasPrefix("-") {
                guard isFirst(decision, alert, &state) else { continue }
                let cells = isRaw ? rawCells(decision, alert) : tableCells(decision, alert)
                state.printer.add(withMachine ? cells + [alert.machineID] : cells)
            }
        }
        state.printer.finish(none: "No active decisions")
        if state.skipped > 0, call.output == .human { call.print("\(state.skipped) duplicated entries skipped") }
    }

    /// The same decision, made again, is shown once.
    private static func isFirst(_ decision: Decision, _ alert: Alert, _ state: inout State) -> Bool {
        let key = "\(alert.simulated)\n\(decision.type)\n\(decision.scope)\n\(decision.value)"
        if state.seen.insert(key).inserted { return true }
        state.skipped += 1
        return false
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

    private static let tableHeader = [
        "ID", "Source", "Scope:Value", "Reason", "Action", "Country", "AS", "Events", "expiration", "Alert ID",
    ]

    private static func tableCells(_ decision: Decision, _ alert: Alert) -> [String] {
        [
            String(decision.id), decision.origin, "\(decision.scope):\(decision.value)", decision.scenario,
            (alert.simulated ? "(simul)" : "") + decision.type, alert.source.cn, alert.source.shownAS,
            String(alert.eventsCount), decision.duration, String(alert.id),
        ]
    }

    private static let rawHeader = [
        "id", "source", "ip", "reason", "action", "country", "as", "events_count", "expiration", "simulated",
        "alert_id",
    ]

    private static func rawCells(_ decision: Decision, _ alert: Alert) -> [String] {
        [
            String(decision.id), decision.origin, "\(decision.scope):\(decision.value)", decision.scenario,
            decision.type, alert.source.cn, alert.source.shownAS, String(alert.eventsCount), decision.duration,
            String(alert.simulated), String(alert.id),
        ]
    }
}
