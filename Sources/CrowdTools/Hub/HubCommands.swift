import CrowdCore
import CrowdHub

extension Command {
    /// `cscli hub` (surface facts A.10).
    static let hub = Command(
        name: "hub", summary: "Manage hub index",
        subcommands: [
            Command(
                name: "list", summary: "List all installed configurations",
                flags: [
                    .toggle("all", "a", "List all available items, including those not installed"),
                    .toggle("full", nil, "Show the contents of collections as well"),
                    .list("status", nil, "Only items with one of these statuses (comma separated)"),
                ]
            ) { try HubCommands.list($0) },
            Command(
                name: "search", summary: "Search the hub by name and description", argumentsUsage: "TERM...",
                arguments: .atLeast(1),
                flags: [.list("status", nil, "Only items with one of these statuses (comma separated)")]
            ) { try HubCommands.search($0) },
            Command(
                name: "update", summary: "Download the latest index (catalog of available configurations)",
                flags: [.toggle("with-content", nil, "Download index with embedded item content")]
            ) { try await HubCommands.update($0) },
            Command(
                name: "upgrade", summary: "Upgrade all configurations to their latest version",
                flags: [
                    .toggle("interactive", "i", "Ask for confirmation before proceeding"),
                    .toggle("dry-run", nil, "Don't install or remove anything; print the execution plan"),
                    .toggle(
                        "force", nil, "Force upgrade: overwrite tainted and outdated items; always update data files"),
                ]
            ) { try await HubCommands.upgrade($0) },
            Command(name: "types", summary: "List supported item types") { HubCommands.types($0) },
            Command(name: "branch", summary: "Show selected hub branch") { $0.print(try $0.hubBranch()) },
            .hubBundle,
        ])
}

enum HubCommands {
    static func list(_ call: Invocation) throws {
        let filter = try StatusFilter(call)
        let hub = try call.hub()
        call.logState(of: hub)
        let all = call.flags.isOn("all") || filter.wantsAbsent
        let chosen = ItemType.allCases.map { type in
            (type, hub.items(type, installedOnly: !all).filter { filter.accepts($0) })
        }
        switch call.output {
        case .human: call.terminal.print(HubListing(hub, chosen, call).text, terminator: "")
        case .json: call.print(ItemReports.json(chosen).pretty)
        case .raw: call.print(csv: ItemReports.csv(chosen, withType: true))
        }
    }

    /// Items whose name or description has every one of the words.
    static func search(_ call: Invocation) throws {
        let filter = try StatusFilter(call)
        let hub = try call.hub()
        let terms = call.words.map { $0.lowercased() }
        let chosen = ItemType.allCases.map { type in
            (
                type,
                hub.items(type).filter { item in
                    let text = "\(item.id.name)\n\(item.description)".lowercased()
                    return filter.accepts(item) && terms.allSatisfy { text.contains($0) }
                }
            )
        }
        switch call.output {
        case .human:
            guard chosen.contains(where: { !$0.1.isEmpty }) else { return call.print("No matching items") }
            call.terminal.print(HubListing.table(chosen, hub, descriptions: true).text(.light), terminator: "")
        case .json: call.print(ItemReports.json(chosen).pretty)
        case .raw: call.print(csv: ItemReports.csv(chosen, withType: true))
        }
    }

    static func update(_ call: Invocation) async throws {
        let paths = try call.hubPaths()
        let withContent = try call.flags.isOn("with-content") || call.config().cscli.hubWithContent
        let speaks = call.terminal.level <= .info
        let isNew: Bool
        do {
            isNew = try await IndexUpdate.run(paths, source: try call.hubSource(), withContent: withContent) {
                if speaks { call.print("Downloading \(paths.indexPath)") }
            }
        } catch let error as HubError {
            throw CommandError("failed to update hub: \(error)")
        }
        if !isNew && speaks { call.print("Nothing to do, the hub index is up to date.") }
        call.logState(of: try call.hub())
    }

    static func upgrade(_ call: Invocation) async throws {
        try PlanSession.checkFlags(call)
        let hub = try call.hub()
        var plan = ActionPlan(hub, force: call.flags.isOn("force"))
        for item in hub.installed { plan.upgrade(item) }
        plan.refreshData()
        try await PlanSession(call: call).run(plan)
    }

    static func types(_ call: Invocation) {
        let names = ItemType.allCases.map(\.rawValue)
        switch call.output {
        case .human: call.print(names.map { "- \($0)" }.joined(separator: "\n"))
        case .json: call.print(JSON.array(names.map { .string($0) }).pretty)
        case .raw: call.print(names.joined(separator: "\n"))
        }
    }
}

/// `--status`: `installed`, or one of the status words.
struct StatusFilter {
    private var statuses: Set<HubItem.Status> = []

    init(_ call: Invocation) throws(CommandError) {
        for word in call.flags.list("status") {
            if word == "installed" {
                statuses.formUnion(HubItem.Status.allCases.filter { $0 != .notInstalled })
            } else if let status = HubItem.Status(rawValue: word) {
                statuses.insert(status)
            } else {
                let valid = (["installed"] + HubItem.Status.allCases.map(\.rawValue)).joined(separator: ", ")
                throw CommandError("invalid status \"\(word)\" (valid values: \(valid))")
            }
        }
    }

    var isGiven: Bool { !statuses.isEmpty }
    var wantsAbsent: Bool { statuses.contains(.notInstalled) }
    func accepts(_ item: HubItem) -> Bool { statuses.isEmpty || statuses.contains(item.status) }
}
