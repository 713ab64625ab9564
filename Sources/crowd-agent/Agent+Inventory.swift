import CrowdAcquisition
import CrowdAgent
import CrowdCore
import CrowdHub

extension Agent {
    /// What is read and with what, for the Local API to know.
    func inventory(_ sources: [any DataSource], _ config: SuiteConfig) -> AgentUsage.Inventory {
        var inventory = AgentUsage.Inventory()
        for source in sources { inventory.dataSources[source.module, default: 0] += 1 }
        // Without an index there is nothing to compare items with, and none is told.
        let hub = try? Hub(HubPaths(config.paths))
        inventory.items = ItemType.allCases.map { type in
            let items = hub?.items(type, installedOnly: true) ?? []
            return (
                type.rawValue,
                items.map { item in
                    let status = item.isLocal ? "custom" : item.isTainted ? "tainted" : "official"
                    return .init(name: item.id.name, version: item.localVersion, status: status)
                }
            )
        }
        return inventory
    }
}
