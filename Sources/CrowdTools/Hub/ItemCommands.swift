import CrowdCore
import CrowdHub

extension Command {
    /// `cscli parsers`, `cscli scenarios` …: the same verbs for every type of item (surface facts A.10).
    static func items(_ type: ItemType) -> Command {
        let aliases: [ItemType: [String]] = [.appsecConfigs: ["waf-configs"], .appsecRules: ["waf-rules"]]
        return Command(
            name: type.rawValue, aliases: [type.singular] + (aliases[type] ?? []),
            summary: "Manage hub \(type.rawValue)",
            subcommands: [list(type), install(type), remove(type), upgrade(type), inspect(type)])
    }

    private static let planFlags: [Flag] = [
        .toggle("interactive", "i", "Ask for confirmation before proceeding"),
        .toggle("dry-run", nil, "Don't install or remove anything; print the execution plan"),
    ]

    private static func list(_ type: ItemType) -> Command {
        Command(
            name: "list", summary: "List \(type.rawValue)", argumentsUsage: "[item... | -a]", arguments: .any,
            flags: [.toggle("all", "a", "List disabled items as well")],
            completion: ItemCommands.names(type) { $0.isInstalled }
        ) { try ItemCommands.list($0, type) }
    }

    private static func install(_ type: ItemType) -> Command {
        Command(
            name: "install", summary: "Install given \(type.singular)(s)", argumentsUsage: "[item]...",
            arguments: .atLeast(1),
            flags: planFlags + [
                .toggle("download-only", "d", "Only download packages, don't enable"),
                .toggle("force", nil, "Force install: overwrite tainted and outdated files"),
                .toggle("ignore", nil, "Ignore errors when installing multiple \(type.rawValue)"),
            ],
            completion: ItemCommands.names(type) { !$0.isInstalled }
        ) { try await ItemCommands.install($0, type) }
    }

    private static func remove(_ type: ItemType) -> Command {
        Command(
            name: "remove", aliases: ["delete"], summary: "Remove given \(type.singular)(s)",
            argumentsUsage: "[item]...", arguments: .any,
            flags: planFlags + [
                .toggle("purge", nil, "Delete source file too"),
                .toggle("force", nil, "Force remove: remove tainted and outdated files"),
                .toggle("all", nil, "Remove all the \(type.rawValue)"),
            ],
            completion: ItemCommands.names(type) { $0.isInstalled }
        ) { try await ItemCommands.remove($0, type) }
    }

    private static func upgrade(_ type: ItemType) -> Command {
        Command(
            name: "upgrade", summary: "Upgrade given \(type.singular)(s)", argumentsUsage: "[item]...",
            arguments: .any,
            flags: planFlags + [
                .toggle("all", "a", "Upgrade all the \(type.rawValue)"),
                .toggle("force", nil, "Force upgrade: overwrite tainted and outdated files"),
            ],
            completion: ItemCommands.names(type) { $0.isInstalled }
        ) { try await ItemCommands.upgrade($0, type) }
    }

    private static func inspect(_ type: ItemType) -> Command {
        Command(
            name: "inspect", summary: "Inspect given \(type.singular)(s)", argumentsUsage: "[item]...",
            arguments: .atLeast(1),
            flags: [
                .text("url", "u", "Prometheus url"),
                .toggle("diff", nil, "Show diff with latest version (for tainted items)"),
                .toggle("rev", nil, "Reverse diff output"),
                .toggle("no-metrics", nil, "Don't show metrics (when cscli.output=human)"),
            ],
            completion: ItemCommands.names(type) { _ in true }
        ) { try await ItemInspection.run($0, type) }
    }
}

enum ItemCommands {
    static func names(_ type: ItemType, _ isWanted: @escaping @Sendable (HubItem) -> Bool) -> Candidates {
        Candidates { call in try Hub(call.hubPaths()).items(type).filter(isWanted).map(\.id.name) }
    }

    /// - Throws: with the name that was probably meant.
    static func item(_ name: String, _ type: ItemType, in hub: Hub) throws(CommandError) -> HubItem {
        if let item = hub[ItemID(type, name)] { return item }
        let known = hub.items(type).map(\.id.name)
        let hint = NearestName.to(name, among: known).map { ", did you mean '\($0)'?" } ?? ""
        throw CommandError("can't find '\(name)' in \(type.rawValue)\(hint)")
    }

    static func list(_ call: Invocation, _ type: ItemType) throws {
        let hub = try call.hub()
        let missing = call.words.filter { hub[ItemID(type, $0)] == nil }
        guard missing.isEmpty else {
            throw CommandError("item(s) not found in \(type.rawValue): \(missing.joined(separator: ", "))")
        }
        let items = hub.items(type, installedOnly: !call.flags.isOn("all") && call.words.isEmpty).filter {
            call.words.isEmpty || call.words.contains($0.id.name)
        }
        switch call.output {
        case .human where items.isEmpty: call.print("No items to display")
        case .human: call.terminal.print(ItemReports.table(type, items).text(.light), terminator: "")
        case .json: call.print(ItemReports.json([(type, items)]).pretty)
        case .raw: call.print(csv: ItemReports.csv([(type, items)], withType: false))
        }
    }

    static func install(_ call: Invocation, _ type: ItemType) async throws {
        try PlanSession.checkFlags(call)
        let hub = try call.hub()
        var plan = ActionPlan(hub, force: call.flags.isOn("force"))
        for name in call.words {
            do {
                plan.install(try item(name, type, in: hub), downloadOnly: call.flags.isOn("download-only"))
            } catch {
                guard call.flags.isOn("ignore") else { throw error }
                call.terminal.log(.error, "\(error)")
            }
        }
        try await PlanSession(call: call).run(plan)
    }

    static func remove(_ call: Invocation, _ type: ItemType) async throws {
        try PlanSession.checkFlags(call)
        let (isAll, force) = (call.flags.isOn("all"), call.flags.isOn("force"))
        guard isAll || !call.words.isEmpty else {
            throw CommandError("specify at least one \(type.singular) to remove or '--all'")
        }
        let hub = try call.hub()
        let purge = call.flags.isOn("purge")
        var plan = ActionPlan(hub, force: force)
        if isAll {
            // Purging takes what is downloaded as well.
            let all = hub.items(type).filter { $0.isInstalled && !$0.isLocal || purge && $0.isDownloaded }
            for item in all { try plan.remove(item, purge: purge) }
        }
        for name in isAll ? [] : call.words {
            let item = try item(name, type, in: hub)
            let parents = hub.installedParents(of: item)
            guard force || parents.isEmpty else {
                call.terminal.log(
                    .warning, "\(name) belongs to collections: [\(parents.joined(separator: " "))]")
                call.terminal.log(
                    .warning,
                    "Run 'sudo cscli \(type.rawValue) remove \(name) --force' if you want to force remove this "
                        + type.singular)
                continue
            }
            try plan.remove(item, purge: purge)
        }
        try await PlanSession(call: call).run(plan)
    }

    static func upgrade(_ call: Invocation, _ type: ItemType) async throws {
        try PlanSession.checkFlags(call)
        let isAll = call.flags.isOn("all")
        guard isAll || !call.words.isEmpty else {
            throw CommandError("specify at least one \(type.singular) to upgrade or '--all'")
        }
        let hub = try call.hub()
        var plan = ActionPlan(hub, force: call.flags.isOn("force"))
        let named = try call.words.map { try item($0, type, in: hub) }
        for item in isAll ? hub.items(type, installedOnly: true) : named {
            if item.isInstalled {
                plan.upgrade(item)
            } else {
                call.terminal.log(.warning, "\(item.id) is not installed, not upgrading")
            }
        }
        try await PlanSession(call: call).run(plan)
    }
}
