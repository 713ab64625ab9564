import CrowdCore

/// `source: syslog`: a listener (surface facts C.5). TCP and TLS are ours.
struct SyslogSourceConfig: Sendable {
    enum Transport: String, CaseIterable, Sendable { case udp, tcp, tls }

    var common: SourceCommon
    var address = "127.0.0.1"
    var port = 514
    var transport = Transport.udp
    /// Of `tls` alone.
    var tls: ListenerTLS?
    /// Longer messages are cut, in bytes.
    var maxMessageBytes = 2_048
    /// Keep the message as it is, without its priority.
    var skipsParser = false

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.sourceMapping(
            type: "syslogacquisition.Configuration",
            known: SourceCommon.keys + [
                "listen_addr", "listen_port", "protocol", "max_message_len", "disable_rfc_parser", "tls",
            ])
        common = try SourceCommon(yaml, at: node.mark)
        if let given = try yaml.string("listen_addr"), !given.isEmpty { address = given }
        guard IPAddress(address) != nil else {
            throw ConfigError("invalid listen IP \(address)", at: yaml["listen_addr"]?.mark)
        }
        let given = try yaml.int("listen_port") ?? 0
        port = given == 0 ? port : given
        guard (1...65_535).contains(port) else {
            throw ConfigError("invalid port \(port)", at: yaml["listen_port"]?.mark)
        }
        try readTransport(yaml)
        let length = try yaml.int("max_message_len", in: 0...65_536) ?? 0
        if length > 0 { maxMessageBytes = length }
        skipsParser = try yaml.bool("disable_rfc_parser") ?? false
        guard common.mode != .cat else {
            throw ConfigError("unsupported mode 'cat' for syslog source", at: node.mark)
        }
    }

    private mutating func readTransport(_ yaml: YAMLMapping) throws(ConfigError) {
        if let text = try yaml.string("protocol"), !text.isEmpty {
            guard let given = Transport(rawValue: text) else {
                throw ConfigError(
                    "unsupported protocol \(text): udp, tcp or tls expected", at: yaml["protocol"]?.mark)
            }
            transport = given
        }
        tls = try yaml.present("tls").map { (node) throws(ConfigError) in try ListenerTLS(from: node) }
        if transport == .tls, tls == nil { throw yaml.missing("tls") }
        if transport != .tls, tls != nil {
            throw ConfigError("tls is given, but protocol is \(transport)", at: yaml["tls"]?.mark)
        }
    }
}
