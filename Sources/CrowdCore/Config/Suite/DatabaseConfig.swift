/// `db_config`
public struct DatabaseConfig: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Sendable { case sqlite, mysql, postgres, postgresql, pgx }

    /// How long clients of one authentication type may stay away before they are removed; `nil`: for ever.
    public struct Autodelete: Equatable, Sendable {
        public var certificate: GoDuration?
        public var apiKey: GoDuration?
        public var loginPassword: GoDuration?
    }

    public struct Flush: Equatable, Sendable {
        /// Alerts kept at most; `nil`: no limit.
        public var maxItems: Int?
        public var maxAge: GoDuration?
        public var metricsMaxAge = GoDuration.seconds(7 * 86400)
        public var bouncers = Autodelete()
        public var agents = Autodelete()

        public init() {}
    }

    public var kind = Kind.sqlite
    /// SQLite's file, or a server's socket when host and port are absent.
    public var path: String?
    public var user: String?
    public var password: String?
    public var name: String?
    public var host: String?
    public var port: Int?
    public var sslMode: String?
    public var sslCAPath: String?
    public var sslCertPath: String?
    public var sslKeyPath: String?
    public var maxOpenConnections = 100
    /// `nil`: on a local file system yes, on a network one no.
    public var useWAL: Bool?
    public var decisionBulkSize = 1000
    public var logLevel: LogLevel?
    public var flush = Flush()

    static let keys = [
        "type", "db_path", "user", "password", "db_name", "host", "port", "sslmode", "ssl_ca_cert", "ssl_client_cert",
        "ssl_client_key", "max_open_conns", "use_wal", "decision_bulk_size", "log_level", "flush",
    ]

    private static func kind(_ yaml: YAMLMapping) throws(ConfigError) -> Kind? {
        guard let node = yaml["type"], let text = try yaml.string("type"), !text.isEmpty else { return nil }
        if let kind = Kind(rawValue: text) { return kind }
        let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        throw ConfigError("unable to create database client: unknown database type '\(text)' (\(known))", at: node.mark)
    }

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.DatabaseCfg", known: Self.keys)
        kind = try Self.kind(yaml) ?? kind
        path = try yaml.path("db_path")
        user = try yaml.string("user")
        password = try yaml.string("password")
        name = try yaml.string("db_name")
        host = try yaml.string("host")
        port = try yaml.int("port", in: 0...65535)
        sslMode = try yaml.string("sslmode")
        sslCAPath = try yaml.path("ssl_ca_cert")
        sslCertPath = try yaml.path("ssl_client_cert")
        sslKeyPath = try yaml.path("ssl_client_key")
        maxOpenConnections = try yaml.int("max_open_conns", in: 0...100_000) ?? maxOpenConnections
        useWAL = try yaml.bool("use_wal")
        let bulk = try yaml.int("decision_bulk_size") ?? 0
        decisionBulkSize = bulk > 0 ? min(bulk, 2000) : decisionBulkSize
        logLevel = try yaml.logLevel("log_level")
        if let section = yaml.present("flush") { flush = try Flush(from: section) }
        if kind == .sqlite && path == nil { throw yaml.missing("db_path") }
    }
}

extension DatabaseConfig.Flush {
    init(from node: YAMLNode) throws(ConfigError) {
        let keys = ["max_items", "max_age", "metrics_max_age", "bouncers_autodelete", "agents_autodelete"]
        let yaml = try node.mapping(type: "csconfig.FlushDBCfg", known: keys)
        maxItems = try yaml.int("max_items")
        if let items = maxItems, items <= 0 {
            throw ConfigError("max_items can't be zero or negative number", at: yaml["max_items"]?.mark)
        }
        maxAge = try yaml.duration("max_age", allowingDays: true)
        metricsMaxAge = try yaml.duration("metrics_max_age", allowingDays: true) ?? metricsMaxAge
        if let section = yaml.present("bouncers_autodelete") { bouncers = try .init(from: section) }
        if let section = yaml.present("agents_autodelete") { agents = try .init(from: section) }
    }
}

extension DatabaseConfig.Autodelete {
    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.AuthGCCfg", known: ["cert", "api_key", "login_password"])
        certificate = try yaml.duration("cert", allowingDays: true)
        apiKey = try yaml.duration("api_key", allowingDays: true)
        loginPassword = try yaml.duration("login_password", allowingDays: true)
    }
}
