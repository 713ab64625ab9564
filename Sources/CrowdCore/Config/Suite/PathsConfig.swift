/// `config_paths`: absolute paths, with CrowdSec's defaults filled in.
public struct PathsConfig: Equatable, Sendable {
    public var configDirectory: String
    /// Database, downloaded data, checkpoints, spool.
    public var dataDirectory: String
    public var simulationPath: String
    public var hubDirectory: String
    public var indexPath: String
    public var pluginDirectory: String?
    public var notificationDirectory: String
    public var patternDirectory: String
    public var warnings: [String] = []

    static let keys = [
        "config_dir", "data_dir", "simulation_path", "hub_dir", "index_path", "plugin_dir", "notification_dir",
        "pattern_dir",
    ]

    init(from node: YAMLNode, directory: String) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.ConfigurationPaths", known: Self.keys)
        var relative: [String] = []
        func path(_ key: String) throws(ConfigError) -> String? {
            guard let text = try yaml.string(key), !text.isEmpty else { return nil }
            if !text.hasPrefix("/") { relative.append(key) }
            return FileContents.cleaned(FileContents.absolute(text))
        }
        let config = try path("config_dir") ?? directory
        let hub = try path("hub_dir") ?? config + "/hub"
        guard let data = try path("data_dir") else {
            let sentence = "please provide a data directory with the 'data_dir' directive in the 'config_paths' section"
            throw ConfigError(sentence, at: yaml.mark)
        }
        configDirectory = config
        dataDirectory = data
        simulationPath = try path("simulation_path") ?? config + "/simulation.yaml"
        hubDirectory = hub
        indexPath = try path("index_path") ?? hub + "/.index.json"
        pluginDirectory = try path("plugin_dir")
        notificationDirectory = try path("notification_dir") ?? config + "/notifications"
        patternDirectory = try path("pattern_dir") ?? config + "/patterns"
        warnings = relative.map { "relative path in config_paths.\($0) is deprecated, use an absolute one" }
    }
}
