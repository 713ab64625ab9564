public import CrowdCore

/// `crowdsec-firewall-bouncer.yaml` (protocol facts F.2). Unknown keys are ignored, as the reference does, and listed.
public struct FirewallConfig: Equatable, Sendable {
    public enum Mode: Equatable, Sendable {
        case nftables
        /// Sets and rules through the distribution's `ipset` and `iptables`.
        case iptables
        /// The content of ipset sets that are there.
        case ipset
        /// Prints what it would do, touches nothing.
        case dryRun
    }

    public enum DenyAction: String, Sendable {
        case drop = "DROP"
        case reject = "REJECT"
        /// iptables mode only.
        case tarpit = "TARPIT"
        /// iptables mode only: the packet is logged and gets in.
        case log = "LOG"
    }

    /// Ours: what `deny_action: REJECT` answers to TCP; other protocols get an ICMP message in any case.
    public enum RejectWith: String, CaseIterable, Sendable {
        case icmp
        case tcpReset = "tcp-reset"
    }

    /// Ours: what becomes of bans that end while the Local API is away and cannot renew them.
    public enum OutagePolicy: String, CaseIterable, Sendable {
        /// Each ends at its time.
        case expire
        /// They stay until the Local API has answered again.
        case hold
    }

    /// Keys of `mode: iptables` and `mode: ipset`.
    public struct Iptables: Equatable, Sendable {
        /// `iptables_chains`, `iptables_v4_chains`, `iptables_v6_chains`
        public var common: [String] = []
        public var v4: [String] = []
        public var v6: [String] = []
        public var setType = "nethash"
        public var setSize = 131_072
        public var addComments = true

        func chains(_ family: Family) -> [String] {
            var seen: Set<String> = []
            return ((family == .v4 ? v4 : v6) + common).filter { seen.insert($0).inserted }
        }
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
        /// Ahead of the chains (at 0) that accept established connections.
        public var priority = -10
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
    public var iptables = Iptables()
    /// Ours.
    public var onStop = OnStop.keep
    public var rejectWith = RejectWith.icmp
    /// Ours: never dropped, whatever is decided.
    public var allowlist: [IPRange] = []
    /// Ours: whether the Local API is asked for its allowlists.
    public var usesLocalAPIAllowlists = true
    /// Ours: whether connection tracking forgets the connections of banned addresses.
    public var cutsConnections = true
    /// Ours: where the snapshot of the decisions is kept; `nil`: nowhere.
    public var stateDirectory: String? = "/var/lib/crowd-bouncer"
    /// Ours.
    public var outagePolicy = OutagePolicy.expire
    /// Ours: how long the Local API may be silent before that is a failed state.
    public var outageAfter = GoDuration.seconds(300)
    /// Ours: how often the complete list is asked for again; zero: only after long silence.
    public var resyncInterval = GoDuration.seconds(6 * 3600)
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
