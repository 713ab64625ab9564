import CrowdAcquisition
import CrowdAgent
import CrowdCore
import CrowdHub
import Logging

/// What the hub's index says of the installed items: read once per start and reload, before all else that needs memory, and
/// let go at once, since the index is large.
struct HubFacts {
    /// Hash and version of scenarios by their path: alerts carry them.
    private(set) var versions: [String: (hash: String, version: String)] = [:]
    /// For the Local API to know, in the hub's order; without an index there is nothing to compare with, and none.
    private(set) var items: [(type: String, items: [AgentUsage.Item])] = ItemType.allCases.map { ($0.rawValue, []) }

    init(_ paths: PathsConfig, _ log: Logger) {
        guard FileContents.exists(paths.indexPath) else { return }
        do {
            let hub = try Hub(HubPaths(paths))
            for item in hub.items(.scenarios, installedOnly: true) where !item.isLocal {
                if let path = item.installedPath { versions[path] = (item.localHash, item.localVersion) }
            }
            items = ItemType.allCases.map { type in
                (type.rawValue, hub.items(type, installedOnly: true).map { Self.told($0) })
            }
        } catch {
            log.warning("The hub index is not read, alerts tell no versions: \(error)")
        }
    }

    private static func told(_ item: HubItem) -> AgentUsage.Item {
        let status = item.isLocal ? "custom" : item.isTainted ? "tainted" : "official"
        return AgentUsage.Item(name: item.id.name, version: item.localVersion, status: status)
    }

    /// What is read and with what.
    func inventory(_ sources: [any DataSource]) -> AgentUsage.Inventory {
        var inventory = AgentUsage.Inventory()
        for source in sources { inventory.dataSources[source.module, default: 0] += 1 }
        inventory.items = items
        return inventory
    }
}
