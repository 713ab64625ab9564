public import CrowdCore

/// A data file that an item names in its own text.
public struct ItemData: Hashable, Sendable {
    public var sourceURL: String
    /// Below the data directory.
    public var destination: String
}

/// What hub management needs of an item's text: name, dependencies, data files.
public enum ItemFile {
    /// The `name` of the first document; nil where the file has none or cannot be read.
    static func name(at path: String) -> String? {
        guard let documents = try? ConfigFile.documents(path), let first = documents.first ?? nil else { return nil }
        guard let name = try? first.anyMapping()["name"]?.string(), !name.isEmpty else { return nil }
        return name
    }

    /// What a collection's own file lists; nil where it cannot be read.
    static func dependencies(at path: String) -> Dependencies? {
        guard let documents = try? ConfigFile.documents(path), let first = documents.first ?? nil,
            let yaml = try? first.anyMapping()
        else { return nil }
        var dependencies = Dependencies()
        for type in ItemType.allCases {
            dependencies[type] = (try? yaml[type.rawValue]?.strings()) ?? []
        }
        return dependencies
    }

    /// The data files with an address, from every document.
    ///
    /// - Throws: `ConfigError` for text that is no YAML and for a destination outside the data directory.
    public static func data(in text: [UInt8], file: String) throws(ConfigError) -> [ItemData] {
        var found: [ItemData] = []
        for document in try YAML.documents(text, file: file) {
            guard let document, case .mapping = document.content else { continue }
            for node in try document.anyMapping().present("data")?.sequence() ?? [] {
                let yaml = try node.anyMapping()
                guard let url = try yaml.string("source_url"), !url.isEmpty else { continue }
                let destination = try yaml.string("dest_file") ?? ""
                guard FilePath.isInside(destination) else {
                    throw ConfigError("dest_file '\(destination)' is not inside the data directory", at: node.mark)
                }
                found.append(ItemData(sourceURL: url, destination: destination))
            }
        }
        return found
    }
}
