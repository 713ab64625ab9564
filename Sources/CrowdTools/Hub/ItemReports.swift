import CrowdCore
import CrowdHub

/// Lists of items for programs.
enum ItemReports {
    typealias Chosen = [(type: ItemType, items: [HubItem])]

    static func json(_ chosen: Chosen) -> JSON {
        .object(
            chosen.map { type, items in
                JSONMember(type.rawValue, .array(items.map { json($0) }))
            })
    }

    private static func json(_ item: HubItem) -> JSON {
        .members([
            "name": .string(item.id.name), "local_version": .string(item.localVersion),
            "local_path": .string(item.installedPath ?? ""), "description": .string(item.description),
            "utf8_status": .string("\(item.emoji)  \(item.statusText)"), "status": .string(item.statusText),
        ])
    }

    static func csv(_ chosen: Chosen, withType: Bool) -> [[String]] {
        let header = ["name", "status", "version", "description"]
        let lines = chosen.flatMap { type, items in
            items.map { item in
                [item.id.name, item.statusText, item.localVersion, item.description]
                    + (withType ? [type.rawValue] : [])
            }
        }
        return [header + (withType ? ["type"] : [])] + lines
    }

    /// For one type, as `cscli parsers list` prints it.
    static func table(_ type: ItemType, _ items: [HubItem]) -> Table {
        var table = Table(["Name", "📦 Status", "Version", "Local Path"], title: type.rawValue.uppercased())
        table.rows = items.map {
            [$0.id.name, "\($0.emoji)  \($0.statusText)", $0.localVersion, $0.installedPath ?? ""]
        }
        return table
    }
}
