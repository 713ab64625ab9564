import CrowdCore
import CrowdHub

/// What `setup detect` prints and `setup install-…` read: services, the hub items and the log sources they need.
struct SetupDocument {
    struct Item {
        var service: String
        var hub: [(type: ItemType, names: [String])] = []
        var fileName: String?
        var dataSource: YAMLNode?
    }

    var items: [Item] = []

    init() {}

    /// - Throws: `ConfigError` with line and column for an unknown or duplicate key and a value of the wrong kind.
    init(_ bytes: [UInt8], file: String) throws {
        guard let root = try YAML.document(bytes, file: file) else { throw CommandError("EOF") }
        let yaml = try SetupDocument.fields(of: root, ["setup"])
        for node in try yaml.present("setup")?.sequence() ?? [] {
            let item = try SetupDocument.fields(of: node, ["detected_service", "hub_spec", "acquisition_spec"])
            items.append(
                try Item(
                    service: try item.string("detected_service") ?? "", hub: item.present("hub_spec"),
                    acquisition: item.present("acquisition_spec")))
        }
    }

    /// Strict as the reference's setup specifications are: `unknown field "x"`.
    fileprivate static func fields(of node: YAMLNode, _ known: [String]) throws(ConfigError) -> YAMLMapping {
        guard case .mapping = node.content else {
            throw ConfigError("\(node.kindName) was used where mapping is expected", at: node.mark)
        }
        let yaml = try node.anyMapping()
        for entry in yaml.entries where !known.contains(entry.key) {
            throw ConfigError("unknown field \"\(entry.key)\"", at: entry.mark)
        }
        return yaml
    }

    var json: JSON { .members(["setup": .array(items.map(\.json))]) }

    /// Hub items of all services, each once.
    var hubItems: [ItemID] {
        var seen: Set<ItemID> = []
        return items.flatMap(\.hub).flatMap { group in group.names.map { ItemID(group.type, $0) } }
            .filter { seen.insert($0).inserted }
    }
}

extension SetupDocument.Item {
    init(service: String, hub: YAMLNode?, acquisition: YAMLNode?) throws {
        self.service = service
        if let hub {
            let yaml = try SetupDocument.fields(of: hub, ItemType.allCases.map(\.rawValue))
            for type in ItemType.allCases {
                if let names = try yaml.strings(type.rawValue), !names.isEmpty { self.hub.append((type, names)) }
            }
        }
        guard let acquisition else { return }
        let yaml = try SetupDocument.fields(of: acquisition, ["filename", "datasource"])
        let name = try yaml.string("filename") ?? ""
        guard let source = yaml.present("datasource") else { return }
        guard !name.isEmpty, !name.contains("/"), name != "..", name.hasSuffix(".yaml") || name.hasSuffix(".yml") else {
            throw ConfigError("invalid filename '\(name)' for acquisition of \(service)", at: acquisition.mark)
        }
        _ = try source.anyMapping().required("source")
        fileName = name
        dataSource = source
    }

    var json: JSON {
        var members = [JSONMember("detected_service", .string(service))]
        if !hub.isEmpty {
            let groups = hub.map { JSONMember($0.type.rawValue, .array($0.names.map { .string($0) })) }
            members.append(JSONMember("hub_spec", .object(groups)))
        }
        if let fileName, let dataSource {
            members.append(
                JSONMember(
                    "acquisition_spec", .members(["filename": .string(fileName), "datasource": dataSource.json])))
        }
        return .object(members)
    }
}

extension YAMLNode {
    /// The same as JSON, plain scalars as what they read as.
    var json: JSON {
        switch content {
        case .sequence(let items): return .array(items.map(\.json))
        case .mapping(let pairs):
            return .object(pairs.map { JSONMember((try? $0.key.string()) ?? "", $0.value.json) })
        case .scalar(let text, let plain):
            if isNull { return .null }
            guard plain else { return .string(text) }
            if let value = try? bool() { return .bool(value) }
            if let value = try? int() { return .int(Int64(value)) }
            if let value = try? double() { return .number(JSONNumber(value)) }
            return .string(text)
        }
    }

    fileprivate var kindName: String {
        switch content {
        case .scalar: "string"
        case .sequence: "sequence"
        case .mapping: "mapping"
        }
    }
}

/// A complaint with the lines around it, the place marked.
enum SetupComplaint {
    static func text(_ error: ConfigError, in bytes: [UInt8]) -> String {
        guard let mark = error.mark else { return error.message }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        var message = error.message
        // The composer knows the line of the first one; in a block it stands in the same column.
        if message.hasPrefix("mapping key "), let line = message.split(separator: " ").last {
            message = message.replacing("at line \(line)", with: "at [\(line):\(mark.column)]")
        }
        var text = "[\(mark.line):\(mark.column)] \(message)\n"
        for number in max(1, mark.line - 3)...max(1, min(lines.count, mark.line + 3)) where number <= lines.count {
            if number == lines.count, lines[number - 1].isEmpty, number != mark.line { continue }
            let label = String(number)
            let pad = String(repeating: " ", count: max(0, 3 - label.count))
            text += "\(number == mark.line ? ">" : " ")\(pad)\(label) | \(lines[number - 1])\n"
            if number == mark.line { text += String(repeating: " ", count: 6 + mark.column) + "^\n" }
        }
        return text
    }
}
