import CrowdCore
import CrowdHTTP
import CrowdLAPI

extension Command {
    /// `cscli alerts`: asks the Local API (surface facts A.3).
    static let alerts = Command(
        name: "alerts", aliases: ["alert"], summary: "Manage alerts",
        subcommands: [
            Command(
                name: "list", summary: "List alerts", flags: AlertCommands.listFlags
            ) { try await AlertCommands.list($0) },
            Command(
                name: "inspect", summary: "Show info about an alert", argumentsUsage: "ID...", arguments: .atLeast(1),
                flags: [.toggle("details", "d", "show alerts with events")]
            ) { try await AlertInspection.run($0) },
            Command(
                name: "delete", aliases: ["remove"], summary: "Delete alerts", flags: AlertCommands.deleteFlags
            ) { try await AlertCommands.delete($0) },
            Command(
                name: "flush",
                summary: "Flush alerts\n/!\\ This command can be used only on the same machine than the local API",
                flags: [
                    .int("max-items", nil, "Maximum number of alert items to keep in the database", default: 5000),
                    .duration("max-age", nil, "Maximum age of alert items to keep in the database", default: "7d"),
                ]
            ) { try AlertFlush.run($0) },
        ])
}

enum AlertCommands {
    static let listFlags: [Flag] = [
        .toggle("all", "a", "Include decisions from Central API"),
        .span("until", "restrict to alerts older than until (ie. 4h, 30d)"),
        .span("since", "restrict to alerts newer than since (ie. 4h, 30d)"),
        .text("ip", "i", "restrict to alerts from this source ip (shorthand for --scope ip --value <IP>)"),
        .text("scenario", "s", "the scenario (ie. crowdsecurity/ssh-bf)"),
        .text("range", "r", "restrict to alerts from this range (shorthand for --scope range --value <RANGE/X>)"),
        .text("type", nil, "restrict to alerts with given decision type (ie. ban, captcha)"),
        .text("scope", nil, "restrict to alerts of this scope (ie. ip,range)"),
        .text("value", "v", "the value to match for in the specified scope"),
        .text(
            "origin", nil,
            "the value to match for the specified origin (cscli,crowdsec,console,cscli-import,lists,CAPI ...)"),
        .text("kind", nil, "restrict to alerts of this kind"),
        .toggle("contained", nil, "query decisions contained by range"),
        .toggle("machine", "m", "print machines that sent alerts"),
        .int("limit", "l", "limit size of alerts list table (0 to view all alerts)", default: 50),
    ]

    static let deleteFlags: [Flag] = [
        .text("scope", nil, "the scope (ie. ip,range)"),
        .text("value", "v", "the value to match for in the specified scope"),
        .text("scenario", "s", "the scenario (ie. crowdsecurity/ssh-bf)"),
        .text("ip", "i", "Source ip (shorthand for --scope ip --value <IP>)"),
        .text("range", "r", "Range source ip (shorthand for --scope range --value <RANGE>)"),
        .text("id", nil, "alert ID"), .toggle("all", "a", "delete all alerts"),
        .toggle("contained", nil, "query decisions contained by range"),
    ]

    static func list(_ call: Invocation) async throws {
        var query = QueryString()
        try AlertQuery.addAddress(of: call, to: &query)
        addFilters(of: call, to: &query)
        query.add("decision_type", call.flags.nonEmpty("type"))
        query.add("kind", call.flags.nonEmpty("kind"))
        query.add("include_capi", call.flags.isOn("all") ? "true" : "false")
        query.add("limit", String(call.flags.isOn("all") ? 0 : call.flags.int("limit")))
        call.debug("GET v1/alerts\(query.text)")
        let withMachine = call.flags.isOn("machine")
        let isRaw = call.output == .raw
        let header = isRaw ? rawHeader : tableHeader
        let printer = RowPrinter(call, header: withMachine ? header + ["machine"] : header)
        var state = try await AlertStream.read("v1/alerts" + query.text, call, printer) { alert, json, printer in
            if let json { return printer.add(json: json) }
            let cells = isRaw ? rawCells(alert) : tableCells(alert)
            printer.add(withMachine ? cells + [alert.machineID] : cells)
        }
        state.finish(none: "No active alerts")
    }

    static func addFilters(of call: Invocation, to query: inout QueryString) {
        query.add("until", call.flags.duration("until")?.description)
        query.add("since", call.flags.duration("since")?.description)
        query.add("scenario", call.flags.nonEmpty("scenario"))
        query.add("scope", call.flags.nonEmpty("scope").map(AlertQuery.scope))
        query.add("value", call.flags.nonEmpty("value"))
        query.add("origin", call.flags.nonEmpty("origin"))
    }

    private static let tableHeader = [
        "ID", "value", "reason", "country", "as", "decisions", "created_at", "kind",
    ]

    private static func tableCells(_ alert: Alert) -> [String] {
        [
            String(alert.id), alert.shownValue, alert.scenario, alert.source.cn, alert.source.shownAS,
            alert.shownDecisions, alert.startAt, alert.kind,
        ]
    }

    private static let rawHeader = [
        "id", "scope", "value", "reason", "country", "as", "decisions", "created_at", "kind",
    ]

    private static func rawCells(_ alert: Alert) -> [String] {
        [
            String(alert.id), alert.source.scope, alert.source.value, alert.scenario, alert.source.cn,
            alert.source.shownAS, alert.shownDecisions, alert.startAt, alert.kind,
        ]
    }

    static func delete(_ call: Invocation) async throws {
        let path: String
        if let id = call.flags.nonEmpty("id") {
            guard Int64(id) != nil else { throw CommandError("bad alert id \(id)") }
            path = "v1/alerts/\(id)"
        } else {
            var query = QueryString()
            try AlertQuery.addAddress(of: call, to: &query)
            addFilters(of: call, to: &query)
            guard call.flags.isOn("all") || !query.text.isEmpty else {
                throw CommandError("at least one filter or --all must be specified", showsHelp: true)
            }
            query.add("limit", "0")
            path = "v1/alerts" + query.text
        }
        let answer: HTTPResponse
        do { answer = try await call.client().send(.delete, path) } catch LAPIError.refused(_, let message) {
            throw CommandError("unable to delete alert: API error: \(message)")
        }
        call.info("\(try JSON.parse(answer.body)["nbDeleted"]?.string ?? "0") alert(s) deleted")
    }
}

extension Alert {
    /// `Ip:1.2.3.4`, or `Ip (3 Ips)` when it decided about several.
    var shownValue: String {
        let count = decisions?.count ?? 0
        if count > 1, let scope = decisions?.first?.scope { return "\(scope) (\(count) \(scope)s)" }
        return source.value.isEmpty ? source.scope : "\(source.scope):\(source.value)"
    }

    /// `ban:1 captcha:2`, sorted; simulated ones are marked.
    var shownDecisions: String {
        var counts: [String: Int] = [:]
        for decision in decisions ?? [] {
            counts[(decision.simulated == true ? "(simul)" : "") + decision.type, default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ")
    }
}

extension AlertSource {
    var shownAS: String { [asNumber, asName].filter { !$0.isEmpty }.joined(separator: " ") }
}
