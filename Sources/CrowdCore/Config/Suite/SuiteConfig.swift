/// `config.yaml`: read strictly and whole by every program, each uses its part (surface facts B.2 and B.10).
public struct SuiteConfig: Equatable, Sendable {
    /// The file this was read from.
    public var path: String
    public var common = CommonConfig()
    public var paths: PathsConfig
    /// `crowdsec_service`; `nil` when the section is missing: no agent on this host.
    public var agent: AgentConfig?
    /// `cscli`
    public var cscli = CscliConfig()
    /// `db_config`
    public var database: DatabaseConfig?
    /// `plugin_config`
    public var plugins = PluginConfig()
    /// `api.client`
    public var client: LAPIClientConfig?
    /// `api.server`; `nil` when the section is missing: no Local API on this host.
    public var server: LAPIServerConfig?
    /// `api.cti`
    public var cti: CTIConfig?
    public var prometheus = PrometheusConfig()
    /// Sentences about deprecated keys, to be logged once logging is up.
    public var warnings: [String] = []

    /// Reads `path`, lays `path.local` over it and expands environment variables.
    public static func load(
        path: String, environment: EnvironmentExpansion = .process
    ) throws(ConfigError) -> SuiteConfig {
        let node = try ConfigFile.load(path, environment: environment)
        return try SuiteConfig(from: node, path: path)
    }

    public init(from node: YAMLNode, path: String) throws(ConfigError) {
        self.path = FileContents.absolute(path)
        let keys = [
            "common", "config_paths", "crowdsec_service", "cscli", "db_config", "plugin_config", "api", "prometheus",
        ]
        let yaml = try node.mapping(type: "csconfig.Config", known: keys)
        guard let section = yaml.present("config_paths") else {
            throw ConfigError("\(path): no configuration paths provided")
        }
        paths = try PathsConfig(from: section, directory: FileContents.directory(of: self.path))
        if let section = yaml.present("common") { common = try CommonConfig(from: section) }
        if let section = yaml.present("cscli") { cscli = try CscliConfig(from: section) }
        if let section = yaml.present("plugin_config") { plugins = try PluginConfig(from: section) }
        if let section = yaml.present("prometheus") { prometheus = try PrometheusConfig(from: section) }
        database = try yaml.present("db_config").map { (node) throws(ConfigError) in try DatabaseConfig(from: node) }
        agent = try yaml.present("crowdsec_service").map { (node) throws(ConfigError) in
            try AgentConfig(from: node, configDirectory: paths.configDirectory)
        }
        if let section = yaml.present("api") { try readAPI(section) }
        warnings = common.warnings + paths.warnings
    }

    private mutating func readAPI(_ section: YAMLNode) throws(ConfigError) {
        let api = try section.mapping(type: "csconfig.APICfg", known: ["client", "server", "cti"])
        client = try api.present("client").map { (node) throws(ConfigError) in try LAPIClientConfig(from: node) }
        server = try api.present("server").map { (node) throws(ConfigError) in try LAPIServerConfig(from: node) }
        cti = try api.present("cti").map { (node) throws(ConfigError) in try CTIConfig(from: node) }
    }

    /// The agent's section is there and not switched off.
    public var runsAgent: Bool { agent?.enabled ?? false }
    /// The Local API's section is there and not switched off.
    public var runsServer: Bool { server?.enabled ?? false }
}
