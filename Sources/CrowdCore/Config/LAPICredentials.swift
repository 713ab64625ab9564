/// `local_api_credentials.yaml`: how the agent and `cscli` reach the Local API (surface facts B.3).
public struct LAPICredentials: Equatable, Sendable {
    public enum Endpoint: Equatable, Sendable {
        /// Ends in `/`.
        case url(String)
        /// Path of a unix socket.
        case socket(String)

        /// The one or the other, as it stands in a credentials file.
        public var text: String {
            switch self {
            case .url(let text), .socket(let text): text
            }
        }
    }

    public var endpoint: Endpoint
    public var login: String?
    public var password: String?
    public var caPath: String?
    public var certPath: String?
    public var keyPath: String?

    static let keys = ["url", "login", "password", "ca_cert_path", "key_path", "cert_path", "papi_url"]

    public init(endpoint: Endpoint, login: String? = nil, password: String? = nil, caPath: String? = nil) {
        self.endpoint = endpoint
        self.login = login
        self.password = password
        self.caPath = caPath
    }

    /// Reads `path` with its `.local` file and environment variables.
    public static func load(
        path: String, environment: EnvironmentExpansion = .process
    ) throws(ConfigError) -> LAPICredentials {
        try LAPICredentials(from: try ConfigFile.load(path, environment: environment), path: path)
    }

    public init(from node: YAMLNode, path: String) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.ApiCredentialsCfg", known: Self.keys)
        guard let url = try yaml.string("url"), !url.isEmpty else {
            throw ConfigError("no credentials or URL found in api client configuration '\(path)'")
        }
        endpoint = url.hasPrefix("/") ? .socket(url) : .url(url.hasSuffix("/") ? url : url + "/")
        login = try yaml.string("login")
        password = try yaml.string("password")
        caPath = try yaml.path("ca_cert_path")
        certPath = try yaml.path("cert_path")
        keyPath = try yaml.path("key_path")
        try check(path: path, at: yaml.mark)
    }

    private func check(path: String, at mark: SourceMark) throws(ConfigError) {
        let hasCertificate = certPath != nil || keyPath != nil
        if hasCertificate && login != nil {
            throw ConfigError("user/password authentication and TLS authentication are mutually exclusive", at: mark)
        }
        if case .socket = endpoint, hasCertificate { throw ConfigError("cannot use TLS with a unix socket", at: mark) }
        if !hasCertificate && login == nil {
            throw ConfigError("no credentials or URL found in api client configuration '\(path)'")
        }
    }
}
