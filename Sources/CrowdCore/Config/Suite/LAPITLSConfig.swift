/// `api.server.tls` (protocol facts A.2.3)
public struct LAPITLSConfig: Equatable, Sendable {
    public enum ClientVerification: String, CaseIterable, Sendable {
        case none = "NoClientCert"
        case request = "RequestClientCert"
        case requireAny = "RequireAnyClientCert"
        case verifyIfGiven = "VerifyClientCertIfGiven"
        case requireAndVerify = "RequireAndVerifyClientCert"
    }

    /// HTTPS when certificate and key are both there.
    public var certPath: String?
    public var keyPath: String?
    public var caPath: String?
    public var clientVerification = ClientVerification.verifyIfGiven
    public var serverName: String?
    /// An empty list admits nobody.
    public var agentsAllowedOU: [String] = []
    public var bouncersAllowedOU: [String] = []
    public var crlPath: String?
    /// How long a revocation verdict holds.
    public var cacheExpiration = GoDuration.seconds(3600)

    static let keys = [
        "cert_file", "key_file", "client_verification", "server_name", "ca_cert_path", "agents_allowed_ou",
        "bouncers_allowed_ou", "crl_path", "cache_expiration",
    ]

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.TLSCfg", known: Self.keys)
        certPath = try yaml.path("cert_file")
        keyPath = try yaml.path("key_file")
        caPath = try yaml.path("ca_cert_path")
        clientVerification = try yaml.nonEmptyChoice("client_verification") ?? clientVerification
        serverName = try yaml.string("server_name")
        agentsAllowedOU = try Self.units("agents_allowed_ou", of: yaml)
        bouncersAllowedOU = try Self.units("bouncers_allowed_ou", of: yaml)
        crlPath = try yaml.path("crl_path")
        cacheExpiration = try yaml.duration("cache_expiration") ?? cacheExpiration
    }

    private static func units(_ key: String, of yaml: YAMLMapping) throws(ConfigError) -> [String] {
        var units: [String] = []
        for unit in try yaml.strings(key) ?? [] {
            guard !unit.isEmpty else { throw ConfigError("allowed OU can't be an empty string", at: yaml[key]?.mark) }
            if !units.contains(unit) { units.append(unit) }
        }
        return units
    }
}
