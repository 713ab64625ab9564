public import CrowdCore

/// Where a host keeps its hub (engine facts H.2).
public struct HubPaths: Sendable, Equatable {
    /// Downloaded files, at their paths in the hub.
    public var hubDirectory: String
    public var indexPath: String
    /// Below it, in a folder for each type, what is installed.
    public var configDirectory: String
    public var dataDirectory: String

    public init(_ paths: PathsConfig) {
        self.init(
            hubDirectory: paths.hubDirectory, indexPath: paths.indexPath, configDirectory: paths.configDirectory,
            dataDirectory: paths.dataDirectory)
    }

    public init(hubDirectory: String, indexPath: String, configDirectory: String, dataDirectory: String) {
        self.hubDirectory = Self.trimmed(hubDirectory)
        self.indexPath = indexPath
        self.configDirectory = Self.trimmed(configDirectory)
        self.dataDirectory = Self.trimmed(dataDirectory)
    }

    private static func trimmed(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    func download(_ entry: IndexEntry) -> String { hubDirectory + "/" + entry.path }

    func link(_ entry: IndexEntry) -> String {
        let stage = entry.id.type.hasStages ? entry.stage + "/" : ""
        return "\(configDirectory)/\(entry.id.type.rawValue)/\(stage)\(entry.fileName)"
    }
}
