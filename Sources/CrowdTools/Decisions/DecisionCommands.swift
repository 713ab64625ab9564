import CrowdCore
import CrowdHTTP
import CrowdLAPI

extension Command {
    /// `cscli decisions`: asks the Local API (surface facts A.4).
    static let decisions = Command(
        name: "decisions", aliases: ["decision"], summary: "Manage decisions",
        subcommands: [
            Command(name: "list", summary: "List decisions from LAPI", flags: DecisionList.flags) {
                try await DecisionList.run($0)
            },
            Command(name: "add", summary: "Add decision to LAPI", flags: DecisionAddition.flags) {
                try await DecisionAddition.run($0)
            },
            Command(
                name: "delete", aliases: ["remove"], summary: "Delete decisions", flags: DecisionRemoval.flags
            ) { try await DecisionRemoval.run($0) },
            Command(
                name: "import", summary: "Import decisions from a file or pipe", flags: DecisionImport.flags
            ) { try await DecisionImport.run($0) },
        ])
}

/// `cscli decisions delete`.
enum DecisionRemoval {
    static let flags: [Flag] = [
        .text("ip", "i", "Source ip (shorthand for --scope ip --value <IP>)"),
        .text("range", "r", "Range source ip (shorthand for --scope range --value <RANGE>)"),
        .text("type", "t", "the decision type (ie. ban,captcha)"),
        .text("value", "v", "the value to match for in the specified scope"),
        .text("scenario", "s", "the scenario name (ie. crowdsecurity/ssh-bf)"),
        .text(
            "origin", nil,
            "the value to match for the specified origin (cscli,crowdsec,console,cscli-import,lists,CAPI ...)"),
        .text("scope", nil, "the scope of the decisions"), .text("id", nil, "decision id"),
        .toggle("all", nil, "delete all decisions"), .toggle("contained", nil, "query decisions contained by range"),
    ]

    static func run(_ call: Invocation) async throws {
        let answer = try await call.client().send(.delete, try path(call))
        call.info("\(try JSON.parse(answer.body)["nbDeleted"]?.string ?? "0") decision(s) deleted")
    }

    private static func path(_ call: Invocation) throws -> String {
        if let id = call.flags.nonEmpty("id") {
            guard Int64(id) != nil else { throw CommandError("id '\(id)' is not an integer") }
            return "v1/decisions/\(id)"
        }
        var query = QueryString()
        try AlertQuery.addAddress(of: call, to: &query)
        query.add("type", call.flags.nonEmpty("type"))
        query.add("value", call.flags.nonEmpty("value"))
        query.add("scenario", call.flags.nonEmpty("scenario"))
        query.add("origin", call.flags.nonEmpty("origin"))
        query.add("scopes", call.flags.nonEmpty("scope").map(AlertQuery.scope))
        guard call.flags.isOn("all") || !query.text.isEmpty else {
            throw CommandError("at least one filter or --all must be specified", showsHelp: true)
        }
        return "v1/decisions" + query.text
    }
}
