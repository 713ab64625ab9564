/// `prometheus`
public struct PrometheusConfig: Equatable, Sendable {
    public enum Level: String, CaseIterable, Sendable { case full, aggregated, none }

    /// False when the section is missing.
    public var enabled = false
    public var level = Level.full
    public var listenAddress = "127.0.0.1"
    public var listenPort = 6060

    public init() {}

    init(from node: YAMLNode) throws(ConfigError) {
        let keys = ["enabled", "level", "listen_addr", "listen_port"]
        let yaml = try node.mapping(type: "csconfig.PrometheusCfg", known: keys)
        enabled = try yaml.bool("enabled") ?? false
        // An unknown level is not an error in CrowdSec: it registers nothing.
        if let text = try yaml.string("level") { level = Level(rawValue: text) ?? .none }
        // Empty and zero are as good as nothing, there as here: an open port is never meant by leaving something out.
        if let address = try yaml.string("listen_addr"), !address.isEmpty { listenAddress = address }
        if let port = try yaml.int("listen_port", in: 0...65535), port != 0 { listenPort = port }
    }
}

/// `cscli`
public struct CscliConfig: Equatable, Sendable {
    public enum Output: String, CaseIterable, Sendable { case human, json, raw }

    public var output = Output.human
    public var color = "auto"
    /// `nil`: chosen by the version.
    public var hubBranch: String?
    public var hubWithContent = false
    /// Two `%s`: branch and path.
    public var hubURLTemplate: String?
    /// A folder or an archive with a hub in it, instead of the network.
    public var hubSource: String?

    public init() {}

    init(from node: YAMLNode) throws(ConfigError) {
        let keys = [
            "output", "color", "hub_branch", "hub_with_content", "__hub_url_template__", "hub_source",
            "prometheus_uri",
        ]
        let yaml = try node.mapping(type: "csconfig.CscliCfg", known: keys)
        output = try yaml.nonEmptyChoice("output") ?? output
        color = try yaml.string("color") ?? color
        hubBranch = try yaml.string("hub_branch")
        hubWithContent = try yaml.bool("hub_with_content") ?? false
        hubURLTemplate = try yaml.string("__hub_url_template__")
        hubSource = try yaml.path("hub_source")
        _ = try yaml.string("prometheus_uri")
    }
}

/// `plugin_config`: whom notification plugins run as.
public struct PluginConfig: Equatable, Sendable {
    public var user: String?
    public var group: String?

    public init() {}

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.PluginCfg", known: ["user", "group"])
        user = try yaml.string("user")
        group = try yaml.string("group")
    }
}

/// `api.client`
public struct LAPIClientConfig: Equatable, Sendable {
    public var credentialsPath: String?
    public var insecureSkipVerify = false
    /// Delete this machine at shutdown.
    public var unregistersOnExit = false

    init(from node: YAMLNode) throws(ConfigError) {
        let keys = ["credentials_path", "insecure_skip_verify", "unregister_on_exit"]
        let yaml = try node.mapping(type: "csconfig.LocalApiClientCfg", known: keys)
        credentialsPath = try yaml.path("credentials_path")
        insecureSkipVerify = try yaml.bool("insecure_skip_verify") ?? false
        unregistersOnExit = try yaml.bool("unregister_on_exit") ?? false
    }
}

/// `api.cti`
public struct CTIConfig: Equatable, Sendable {
    public var key: String?
    public var enabled: Bool
    public var cacheTimeout = GoDuration.seconds(600)
    public var cacheSize = 100
    public var logLevel: LogLevel?

    init(from node: YAMLNode) throws(ConfigError) {
        let keys = ["key", "enabled", "cache_timeout", "cache_size", "log_level"]
        let yaml = try node.mapping(type: "csconfig.CTICfg", known: keys)
        key = try yaml.string("key")
        enabled = try yaml.bool("enabled") ?? (key != nil)
        cacheTimeout = try yaml.duration("cache_timeout") ?? cacheTimeout
        cacheSize = try yaml.int("cache_size", in: 0...10_000_000) ?? cacheSize
        logLevel = try yaml.logLevel("log_level")
    }
}
