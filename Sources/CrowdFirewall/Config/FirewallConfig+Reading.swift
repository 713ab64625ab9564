public import CrowdCore

extension FirewallConfig {
    /// Keys of the reference that mean nothing to us (docs/crowd-bouncer.md says why), accepted in silence.
    private static let ignored = [
        "pf", "pid_dir", "daemonize", "log_max_backups", "log_compression", "retry_initial_connect",
    ]

    public init(from node: YAMLNode) throws(ConfigError) {
        var yaml = TrackedMapping(try node.anyMapping(type: "cfg.BouncerConfig"), ignored: Self.ignored)
        mode = try Self.mode(&yaml)
        apiURL = try yaml.take("api_url")?.string() ?? ""
        guard !apiURL.isEmpty else { throw ConfigError("config does not contain LAPI url", at: node.mark) }
        try readAPI(&yaml)
        try readLogging(&yaml)
        try readPolicy(&yaml)
        try readTables(&yaml)
        try readIptables(&yaml)
        try readOurs(&yaml)
        if let section = yaml.take("prometheus") {
            var part = TrackedMapping(try section.anyMapping(), ignored: [])
            prometheus.enabled = try part.take("enabled")?.bool() ?? false
            prometheus.listenAddress = try part.take("listen_addr")?.string() ?? prometheus.listenAddress
            prometheus.listenPort = try part.take("listen_port")?.int() ?? 60601
        }
        warnings += yaml.leftOver.map { "\($0.mark): unknown key '\($0.key)' is ignored" }
    }

    private static func mode(_ yaml: inout TrackedMapping) throws(ConfigError) -> Mode {
        guard let node = yaml.take("mode") else { throw ConfigError("config does not contain mode") }
        let text = try node.string()
        switch text {
        case "nftables": return .nftables
        case "iptables": return .iptables
        case "ipset": return .ipset
        case "dry-run": return .dryRun
        case "pf": throw ConfigError("firewall 'pf' is BSD's: use nftables, iptables or ipset", at: node.mark)
        default: throw ConfigError("firewall '\(text)' is not supported", at: node.mark)
        }
    }

    private mutating func readAPI(_ yaml: inout TrackedMapping) throws(ConfigError) {
        if let node = yaml.take("update_frequency") {
            updateFrequency = try node.duration()
            guard updateFrequency > .zero else { throw ConfigError("update_frequency must be positive", at: node.mark) }
        } else {
            warnings.append("update_frequency is not set, using 10s")
        }
        apiKey = try yaml.text("api_key")
        certPath = try yaml.text("cert_path")
        keyPath = try yaml.text("key_path")
        caPath = try yaml.text("ca_cert_path")
        insecureSkipVerify = try yaml.take("insecure_skip_verify")?.bool() ?? false
        let hasCertificate = certPath != nil && keyPath != nil
        guard apiKey != nil || hasCertificate else {
            throw ConfigError("config does not contain LAPI key or certificate")
        }
        guard apiKey == nil || !hasCertificate else {
            throw ConfigError("config contains both LAPI key and certificate")
        }
        scopes = try yaml.take("scopes")?.strings() ?? []
        origins = try yaml.take("origins")?.strings() ?? []
        scenariosContaining = try yaml.take("scenarios_containing")?.strings() ?? []
        scenariosNotContaining = try yaml.take("scenarios_not_containing")?.strings() ?? []
        let types = try yaml.take("supported_decisions_types")?.strings() ?? []
        if !types.isEmpty { decisionTypes = Set(types.map { $0.lowercased() }) }
        if let hold = try yaml.take("hold_seconds")?.int() { holdSeconds = min(max(0, hold), 60) }
    }

    private mutating func readLogging(_ yaml: inout TrackedMapping) throws(ConfigError) {
        let directory = try yaml.text("log_dir") ?? "/var/log/"
        if let node = yaml.take("log_mode") {
            switch try node.string() {
            case "file": logging.directory = directory.hasSuffix("/") ? directory : directory + "/"
            case "stdout", "": break
            case let other:
                throw ConfigError("log mode '\(other)' unknown, expecting 'file' or 'stdout'", at: node.mark)
            }
        }
        if let node = yaml.take("log_level"), case let text = try node.string() {
            guard let level = LogLevel(text) else {
                throw ConfigError("not a valid logrus Level: \"\(text)\"", at: node.mark)
            }
            logging.level = level
        }
        logging.policy.maxBytes = (try yaml.take("log_max_size")?.int() ?? 500) * 1024 * 1024
        logging.policy.maxFiles = try yaml.take("log_max_files")?.int() ?? 3
        logging.policy.maxDays = try yaml.take("log_max_age")?.int() ?? 30
        logging.policy.compress = try yaml.take("compress_logs")?.bool() ?? true
    }

    private mutating func readPolicy(_ yaml: inout TrackedMapping) throws(ConfigError) {
        try readDenyAction(&yaml)
        let prefix = try yaml.text("deny_log_prefix") ?? "crowdsec drop: "
        if try yaml.take("deny_log")?.bool() ?? false { denyLogPrefix = String(prefix.prefix(120)) }
        if let list = yaml.take("nftables_hooks"), case let nodes = try list.sequence(), !nodes.isEmpty {
            hooks = []
            for node in nodes {
                let hook = try Self.hook(node)
                if !hooks.contains(hook) { hooks.append(hook) }
            }
        }
    }

    private mutating func readDenyAction(_ yaml: inout TrackedMapping) throws(ConfigError) {
        guard let node = yaml.take("deny_action"), case let text = try node.string(), !text.isEmpty else { return }
        let known: [DenyAction] = mode == .iptables ? [.drop, .reject, .tarpit, .log] : [.drop, .reject]
        guard let action = DenyAction(rawValue: text.uppercased()), known.contains(action) else {
            let names = known.map(\.rawValue).joined(separator: ", ")
            throw ConfigError("invalid deny_action '\(text)', must be one of \(names)", at: node.mark)
        }
        denyAction = action
    }

    private static func hook(_ node: YAMLNode) throws(ConfigError) -> Hook {
        let text = try node.string()
        if let hook = Hook(rawValue: text.lowercased()) { return hook }
        let reason = text == "ingress" ? ": it needs a table of family netdev and a device, use prerouting" : ""
        throw ConfigError("nftables hook '\(text)' is not supported\(reason)", at: node.mark)
    }

    private mutating func readTables(_ yaml: inout TrackedMapping) throws(ConfigError) {
        v4.setPrefix = try yaml.text("blacklists_ipv4") ?? v4.setPrefix
        v6.setPrefix = try yaml.text("blacklists_ipv6") ?? v6.setPrefix
        v4.enabled = !(try yaml.take("disable_ipv4")?.bool() ?? false)
        v6.enabled = !(try yaml.take("disable_ipv6")?.bool() ?? false)
        if let section = yaml.take("nftables") {
            var part = TrackedMapping(try section.anyMapping(), ignored: [])
            if let node = part.take("ipv4") { try Self.read(node, into: &v4, &warnings) }
            if let node = part.take("ipv6") { try Self.read(node, into: &v6, &warnings) }
            warnings += part.leftOver.map { "\($0.mark): unknown key '\($0.key)' is ignored" }
        }
        guard v4.enabled || v6.enabled else { throw ConfigError("both IPv4 and IPv6 disabled, doing nothing") }
    }

    private static func read(
        _ node: YAMLNode, into tables: inout Tables, _ warnings: inout [String]
    ) throws(ConfigError) {
        var yaml = TrackedMapping(try node.anyMapping(), ignored: [])
        tables.enabled = try yaml.take("enabled")?.bool() ?? tables.enabled
        tables.setOnly = try yaml.take("set-only")?.bool() ?? false
        tables.table = try yaml.text("table") ?? tables.table
        tables.chain = try yaml.text("chain") ?? tables.chain
        tables.priority = try yaml.take("priority")?.int() ?? tables.priority
        warnings += yaml.leftOver.map { "\($0.mark): unknown key '\($0.key)' is ignored" }
    }
}
