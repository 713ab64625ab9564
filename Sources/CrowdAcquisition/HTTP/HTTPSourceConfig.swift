import CrowdCore

/// `source: http`: takes events that are posted (surface facts C.7).
struct HTTPSourceConfig: Sendable {
    /// How a sender proves who it is.
    enum Authentication: Sendable, Equatable {
        case basic(username: String, password: String)
        /// Each of these headers with just this value.
        case headers([(name: String, value: String)])
        /// By its certificate, before the first byte of HTTP.
        case mtls

        static func == (a: Self, b: Self) -> Bool {
            switch (a, b) {
            case (.basic(let u, let p), .basic(let v, let q)): u == v && p == q
            case (.headers(let x), .headers(let y)): x.elementsEqual(y) { $0 == $1 }
            case (.mtls, .mtls): true
            default: false
            }
        }
    }

    var common: SourceCommon
    var address: (host: String, port: Int)?
    var socketPath: String?
    var path = "/"
    var authentication: Authentication
    var tls: ListenerTLS?
    var status = 200
    var headers: [(name: String, value: String)] = []
    /// In bytes, as they are sent; nil for any, since bodies are never kept as a whole.
    var maxBodyBytes: Int?
    /// For one whole request; nil lets it take any time as long as it goes on.
    var timeout: GoDuration?

    private static let keys =
        SourceCommon.keys + [
            "listen_addr", "listen_socket", "path", "auth_type", "basic_auth", "headers", "tls", "custom_status_code",
            "custom_headers", "max_body_size", "timeout",
        ]

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.sourceMapping(type: "httpacquisition.Configuration", known: Self.keys)
        common = try SourceCommon(yaml, at: node.mark)
        guard common.mode != .cat else { throw ConfigError("unsupported mode 'cat' for http source", at: node.mark) }
        address = try Self.address(yaml)
        socketPath = try yaml.string("listen_socket").flatMap { $0.isEmpty ? nil : $0 }
        guard address != nil || socketPath != nil else {
            throw ConfigError("listen_addr or listen_socket is required", at: node.mark)
        }
        path = try yaml.string("path").flatMap { $0.isEmpty ? nil : $0 } ?? path
        guard path.hasPrefix("/") else { throw ConfigError("path must start with /", at: yaml["path"]?.mark) }
        tls = try yaml.present("tls").map { (node) throws(ConfigError) in try ListenerTLS(from: node) }
        authentication = try Self.authentication(yaml, tls)
        if authentication != .mtls { tls?.caPath = nil }
        status = try Self.status(yaml) ?? status
        headers = try Self.pairs(yaml, "custom_headers")
        maxBodyBytes = try yaml.int("max_body_size", in: 1...Int.max)
        timeout = try yaml.duration("timeout")
        if let timeout, timeout <= .zero {
            throw ConfigError("timeout must be above zero", at: yaml["timeout"]?.mark)
        }
    }

    /// `127.0.0.1:8080`, `[::1]:8080`, `:8080`
    private static func address(_ yaml: YAMLMapping) throws(ConfigError) -> (String, Int)? {
        guard let node = yaml.present("listen_addr") else { return nil }
        let text = try node.string()
        guard !text.isEmpty else { return nil }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { throw ConfigError("listen_addr '\(text)' is not ADDRESS:PORT", at: node.mark) }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host.isEmpty ? "::" : host, port)
    }

    private static func authentication(
        _ yaml: YAMLMapping, _ tls: ListenerTLS?
    ) throws(ConfigError) -> Authentication {
        let kind = try yaml.requiredString("auth_type")
        switch kind {
        case "basic_auth":
            let given = try yaml.required("basic_auth")
            let basic = try given.mapping(type: "BasicAuthConfig", known: ["username", "password"])
            return .basic(
                username: try basic.requiredString("username"), password: try basic.requiredString("password"))
        case "headers":
            let headers = try pairs(yaml, "headers")
            guard !headers.isEmpty else { throw yaml.missing("headers") }
            return .headers(headers)
        case "mtls":
            guard let tls else { throw yaml.missing("tls") }
            guard tls.caPath != nil else {
                throw ConfigError("auth_type mtls needs ca_cert", at: yaml["tls"]?.mark)
            }
            return .mtls
        default:
            throw ConfigError(
                "auth_type '\(kind)' is not one of basic_auth, headers, mtls", at: yaml["auth_type"]?.mark)
        }
    }

    private static func pairs(_ yaml: YAMLMapping, _ key: String) throws(ConfigError) -> [(name: String, value: String)]
    {
        var pairs: [(name: String, value: String)] = []
        for entry in try yaml.present(key)?.anyMapping(type: "map[string]string").entries ?? [] {
            let value = try entry.value.string()
            guard (entry.key + value).utf8.allSatisfy({ $0 >= 32 && $0 != 127 }), !entry.key.isEmpty else {
                throw ConfigError("\(key): '\(entry.key)' is not a header", at: entry.mark)
            }
            pairs.append((entry.key, value))
        }
        return pairs
    }

    private static func status(_ yaml: YAMLMapping) throws(ConfigError) -> Int? {
        guard let node = yaml.present("custom_status_code") else { return nil }
        let code = try node.int()
        guard knownStatuses.contains(code) else {
            throw ConfigError("custom_status_code \(code) is not a status that ends a request", at: node.mark)
        }
        return code
    }

    private static let knownStatuses = Set(200...208).union([226]).union(300...305).union([307, 308])
        .union(400...418).union(421...426).union([428, 429, 431, 451]).union(500...508).union([510, 511])
}
