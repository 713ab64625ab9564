/// `api.server`
public struct LAPIServerConfig: Equatable, Sendable {
    /// `api.server.online_client`
    public struct OnlineClient: Equatable, Sendable {
        public var credentialsPath: String?
        public var sharing = true
        public var pullsCommunity = true
        public var pullsBlocklists = true
    }

    /// `api.server.auto_registration`
    public struct AutoRegistration: Equatable, Sendable {
        public var enabled = false
        public var token = ""
        public var allowedRanges: [IPRange] = []
    }

    public var enabled = true
    /// `host:port`
    public var listenURI: String?
    public var listenSocket: String?
    public var tls: LAPITLSConfig?
    public var profilesPath: String
    public var consolePath = "/etc/crowdsec/console.yaml"
    /// `nil`: no central API.
    public var onlineClient: OnlineClient?
    public var logLevel: LogLevel?
    public var papiLogLevel: LogLevel?
    public var usesForwardedForHeaders = false
    public var trustedProxies: [IPRange] = []
    /// Clients with the right to delete alerts, beside loopback.
    public var trustedIPs: [IPRange] = []
    public var disablesRemoteRegistration = false
    public var autoRegistration = AutoRegistration()
    public var capiWhitelistsPath: String?
    public var disablesUsageMetricsExport = false

    static let keys = [
        "enable", "listen_uri", "listen_socket", "tls", "profiles_path", "console_path", "online_client", "log_level",
        "papi_log_level", "use_forwarded_for_headers", "trusted_proxies", "trusted_ips",
        "disable_remote_lapi_registration", "auto_registration", "capi_whitelists_path",
        "disable_usage_metrics_export",
    ]

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.LocalApiServerCfg", known: Self.keys)
        enabled = try yaml.bool("enable") ?? enabled
        listenURI = try yaml.string("listen_uri")
        listenSocket = try yaml.path("listen_socket")
        profilesPath = try yaml.path("profiles_path") ?? ""
        consolePath = try yaml.path("console_path") ?? consolePath
        logLevel = try yaml.logLevel("log_level")
        papiLogLevel = try yaml.logLevel("papi_log_level")
        try readTrust(yaml)
        capiWhitelistsPath = try yaml.path("capi_whitelists_path")
        disablesUsageMetricsExport = try yaml.bool("disable_usage_metrics_export") ?? false
        if let section = yaml.present("tls") { tls = try LAPITLSConfig(from: section) }
        if let section = yaml.present("online_client") { onlineClient = try OnlineClient(from: section) }
        if let section = yaml.present("auto_registration") { autoRegistration = try AutoRegistration(from: section) }
        guard enabled else { return }
        if (listenURI ?? "").isEmpty && listenSocket == nil {
            throw ConfigError("no listen_uri or listen_socket specified", at: yaml.mark)
        }
        if profilesPath.isEmpty { throw yaml.missing("profiles_path") }
    }

    private mutating func readTrust(_ yaml: YAMLMapping) throws(ConfigError) {
        trustedProxies = try yaml.ranges("trusted_proxies")
        usesForwardedForHeaders = try yaml.bool("use_forwarded_for_headers") ?? !trustedProxies.isEmpty
        if usesForwardedForHeaders && trustedProxies.isEmpty {
            trustedProxies = ["0.0.0.0/0"].compactMap { IPRange($0) }
        }
        trustedIPs = try yaml.ranges("trusted_ips")
        disablesRemoteRegistration = try yaml.bool("disable_remote_lapi_registration") ?? false
    }
}

extension LAPIServerConfig.OnlineClient {
    init(from node: YAMLNode) throws(ConfigError) {
        let keys = ["credentials_path", "sharing", "pull"]
        let yaml = try node.mapping(type: "csconfig.OnlineApiClientCfg", known: keys)
        credentialsPath = try yaml.path("credentials_path")
        sharing = try yaml.bool("sharing") ?? sharing
        guard let section = yaml.present("pull") else { return }
        let pull = try section.mapping(type: "csconfig.CapiPullConfig", known: ["community", "blocklists"])
        pullsCommunity = try pull.bool("community") ?? pullsCommunity
        pullsBlocklists = try pull.bool("blocklists") ?? pullsBlocklists
    }
}

extension LAPIServerConfig.AutoRegistration {
    init(from node: YAMLNode) throws(ConfigError) {
        let keys = ["enabled", "token", "allowed_ranges"]
        let yaml = try node.mapping(type: "csconfig.LocalAPIAutoRegisterCfg", known: keys)
        enabled = try yaml.bool("enabled") ?? false
        token = try yaml.string("token") ?? ""
        allowedRanges = try yaml.ranges("allowed_ranges")
        guard enabled else { return }
        guard token.utf8.count >= 32 else {
            let sentence = "the provided auto_register_token is too short, it must be at least 32 characters long"
            throw ConfigError(sentence, at: yaml.mark)
        }
        guard !allowedRanges.isEmpty else { throw yaml.missing("allowed_ranges") }
    }
}

extension YAMLMapping {
    /// A list of addresses and ranges.
    func ranges(_ key: String) throws(ConfigError) -> [IPRange] {
        guard let list = present(key) else { return [] }
        var ranges: [IPRange] = []
        for item in try list.sequence() {
            let text = try item.string()
            guard let range = IPRange(text) else {
                throw ConfigError("invalid address or range '\(text)'", at: item.mark)
            }
            ranges.append(range)
        }
        return ranges
    }
}
