import CrowdCore
import CrowdHub

/// `cscli hub list` for people: collections as trees, then what stands alone.
struct HubListing {
    private let hub: Hub
    private let chosen: ItemReports.Chosen
    /// Every item on a line of its own, and the contents of collections.
    private let isFull: Bool
    private let isFlat: Bool

    init(_ hub: Hub, _ chosen: ItemReports.Chosen, _ call: Invocation) {
        self.hub = hub
        self.chosen = chosen
        isFull = call.flags.isOn("full")
        isFlat = call.flags.isOn("all") || !call.flags.list("status").isEmpty
    }

    var text: String {
        guard chosen.contains(where: { !$0.items.isEmpty }) else { return "No items to display\n" }
        return (isFlat ? Self.table(chosen, hub, descriptions: false) : tree).text(.light)
    }

    static func table(_ chosen: ItemReports.Chosen, _ hub: Hub, descriptions: Bool) -> Table {
        var table = Table(["Type", "Name", "📦 Status", "Version", "Details"] + (descriptions ? ["Description"] : []))
        for item in chosen.flatMap(\.items) {
            table.rows.append(row(item, hub, name: item.id.name) + (descriptions ? [item.description] : []))
        }
        return table
    }

    private var tree: Table {
        var table = Table(["Type", "Name", "📦 Status", "Version", "Details"])
        let installed = chosen.flatMap(\.items)
        let roots = installed.filter { $0.id.type == .collections && hub.installedParents(of: $0).isEmpty }
        var shown: Set<ItemID> = []
        for root in roots {
            table.rows.append(Self.row(root, hub, name: root.id.name))
            shown.insert(root.id)
            branches(of: root, indent: "", &table, &shown, depth: 0)
        }
        let alone = installed.filter { item in
            item.id.type != .collections && hub.installedParents(of: item).isEmpty && !shown.contains(item.id)
        }
        if !alone.isEmpty && !table.rows.isEmpty { table.rows.append(["", "", "", "", ""]) }
        table.rows += alone.map { Self.row($0, hub, name: $0.id.name) }
        return table
    }

    private func branches(
        of item: HubItem, indent: String, _ table: inout Table, _ shown: inout Set<ItemID>, depth: Int
    ) {
        guard depth < 16 else { return }
        let subs = hub.currentDependencies(of: item).compactMap { hub[$0] }.filter { sub in
            isFull || sub.id.type == .collections || sub.isTainted || !sub.isInstalled
        }
        for (index, sub) in subs.enumerated() {
            let isLast = index == subs.count - 1
            table.rows.append(Self.row(sub, hub, name: indent + (isLast ? "└─ " : "├─ ") + sub.id.name))
            shown.insert(sub.id)
            branches(of: sub, indent: indent + (isLast ? "   " : "│  "), &table, &shown, depth: depth + 1)
        }
    }

    private static func row(_ item: HubItem, _ hub: Hub, name: String) -> [String] {
        [item.id.type.rawValue, name, "\(item.emoji) \(item.status.rawValue)", item.localVersion, details(item, hub)]
    }

    private static func details(_ item: HubItem, _ hub: Hub) -> String {
        if item.isTainted && item.localVersion == "?" { return "edited locally" }
        if !item.taintedBy.isEmpty {
            return "by " + item.taintedBy.map(\.description).joined(separator: ", ")
        }
        if item.status == .outdated && item.localVersion != item.version {
            return "\(item.localVersion) → \(item.version)"
        }
        guard item.id.type == .collections else { return "" }
        let contents = hub.currentDependencies(of: item)
        return ItemType.allCases.compactMap { type in
            let count = contents.count { $0.type == type }
            return count == 0 ? nil : "\(count) \(count == 1 ? type.singular : type.rawValue)"
        }.joined(separator: ", ")
    }
}
