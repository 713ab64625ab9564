public import CrowdCore

/// `crowdsec-firewall-bouncer.yaml` (protocol facts F.2). Unknown keys are ignored, as the reference does, and listed.
public struct FirewallConfig: Equatable, Sendable {
    public enum Mode: Equatable, Sendable {
        case nftables
        /// Prints what it would do, touches nothing.
        case dryRun
    }

    public enum DenyAction: String, Sendable {
        case drop = "DROP"
        case reject = "REJECT"
    }

    public enum Hook: String, CaseIterable, Sendable { case prerouting, input, forward, output, postrouting }

    /// What becomes of the sets when the bouncer stops: ours keep, the reference's are removed.
    public enum OnStop: String, CaseIterable, Sendable { case keep, clean }

    /// `nftables.ipv4` and `nftables.ipv6`
    public struct Tables: Equatable, Sendable {
        public var enabled: Bool
        public var setOnly = false
        public var table: String
        public var chain: String
        public var priority = 0
        /// `blacklists_ipv4`, `blacklists_ipv6`: name or prefix of the sets.
        public var setPrefix: String
    }

    public struct Logging: Equatable, Sendable {
        /// `nil`: standard error.
        public var directory: String?
        public var level = LogLevel.info
        public var policy = LogFilePolicy()
    }

    public var mode: Mode
    public var updateFrequency = GoDuration.seconds(10)
    public var apiURL: String
    public var apiKey: String?
    public var certPath: String?
    public var keyPath: String?
    public var caPath: String?
    public var insecureSkipVerify = false
    public var scopes: [String] = []
    public var origins: [String] = []
    public var scenariosContaining: [String] = []
    public var scenariosNotContaining: [String] = []
    /// In lower case.
    public var decisionTypes: Set<String> = ["ban"]
    public var logging = Logging()
    public var denyAction = DenyAction.drop
    /// `nil`: nothing is logged by the kernel.
    public var denyLogPrefix: String?
    public var hooks: [Hook] = [.input]
    public var v4 = Tables(enabled: true, table: "crowdsec", chain: "crowdsec-chain", setPrefix: "crowdsec-blacklists")
    public var v6 = Tables(
        enabled: true, table: "crowdsec6", chain: "crowdsec6-chain", setPrefix: "crowdsec6-blacklists")
    public var prometheus = PrometheusConfig()
    /// Ours.
    public var onStop = OnStop.keep
    /// Ours: seconds that a request may be held by the Local API; 0 polls.
    public var holdSeconds = 30
    /// Ours: how often the kernel is compared with the decisions in full.
    public var verifyInterval = GoDuration.seconds(60)
    /// Ours: where `crowd-bouncer status` asks the running bouncer.
    public var statusSocket = "/run/crowd-bouncer/status.sock"
    /// Sentences to log once logging is up.
    public var warnings: [String] = []

    /// Reads `path` with its `.local` file and environment variables.
    public static func load(
        path: String, environment: EnvironmentExpansion = .process
    ) throws(ConfigError) -> FirewallConfig {
        try FirewallConfig(from: try ConfigFile.load(path, environment: environment))
    }

    func tables(_ family: Family) -> Tables { family == .v4 ? v4 : v6 }
}
