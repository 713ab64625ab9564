/// What one family's table should look like: a value made from the configuration and the origins, compared with the
/// kernel and written to it (protocol facts F.4; ranges have sets of their own, F.9).
///
/// In set-only and ipset mode the table and its rules are somebody else's, and one set holds the bans of all origins.
struct TableLayout: Equatable, Sendable {
    static let processed = "processed"
    /// Addresses that are never dropped. No origin's set can have this name.
    static let protectedSet = "allowlisted"

    let family: Family
    let table: String
    let setPrefix: String
    let chains: [ChainLayout]
    let naming: SetNaming
    /// Only the content of one set is ours.
    let isSetOnly: Bool
    /// The netlink family of the table; in set-only mode whatever the table of that name is of.
    var tableFamily: UInt16
    /// In set-only mode: what the set that is there can hold.
    var singleKind: KernelSet.Kind
    private let verdicts: [[RuleLayout.Expression]]
    /// Names of origins, in the order of their rules.
    private(set) var origins: [String] = []

    init(_ config: FirewallConfig, _ family: Family) {
        let tables = config.tables(family)
        self.family = family
        table = tables.table
        setPrefix = tables.setPrefix
        isSetOnly = config.mode == .ipset || (config.mode != .iptables && tables.setOnly)
        naming = config.mode == .iptables || config.mode == .ipset ? .ipset : .nftables
        tableFamily = family.netfilter
        singleKind = config.mode == .ipset ? .prefixes : .interval
        switch config.mode {
        case _ where isSetOnly: chains = []
        case .iptables: chains = config.iptables.chains(family).map { ChainLayout(name: $0, hook: 0, priority: 0) }
        default:
            chains = config.hooks.map { hook in
                ChainLayout(
                    name: "\(tables.chain)-\(hook.rawValue)", hook: hook.number,
                    priority: Int32(clamping: tables.priority))
            }
        }
        verdicts = Self.verdicts(config)
    }

    /// Ends of an origin's rules: what is done with a packet whose source is in the set.
    private static func verdicts(_ config: FirewallConfig) -> [[RuleLayout.Expression]] {
        let log = config.denyLogPrefix.map { [RuleLayout.Expression.log($0)] } ?? []
        switch (config.denyAction, config.rejectWith) {
        case (.reject, .tcpReset): return [log + [.resetTCP], log + [.reject]]
        case (.reject, .icmp): return [log + [.reject]]
        default: return [log + [.drop]]
        }
    }

    /// True if the origin is new here.
    mutating func insert(origin: String) -> Bool {
        guard !isSetOnly, !origins.contains(origin) else { return false }
        origins.append(origin)
        return true
    }

    func hosts(_ origin: String) -> KernelSet { named(naming.hosts(prefix: setPrefix, origin: origin), .hash) }
    func ranges(_ origin: String) -> KernelSet { named(naming.ranges(prefix: setPrefix, origin: origin), .interval) }
    /// The one set of all origins.
    var single: KernelSet { named(setPrefix, singleKind) }
    /// Looked into before any origin's sets.
    var protected: KernelSet {
        var made = named(naming.protected(prefix: setPrefix), .interval)
        made.isProtected = true
        return made
    }

    private func named(_ name: String, _ kind: KernelSet.Kind) -> KernelSet {
        KernelSet(
            family: family, tableFamily: tableFamily, table: table, name: name,
            kind: naming == .ipset ? .prefixes : kind)
    }

    var sets: [KernelSet] { isSetOnly ? [single] : [protected] + origins.flatMap { [hosts($0), ranges($0)] } }
    /// One per origin: a packet dropped by its ranges counts like one dropped by its addresses.
    var counters: [String] { isSetOnly ? [] : [Self.processed] + origins.map { hosts($0).name } }
    /// The same for every chain.
    var rules: [RuleLayout] {
        guard !isSetOnly else { return [] }
        return [
            .init(mark: Self.processed, expressions: [.count(Self.processed)]),
            .init(mark: protected.name, expressions: [.loadSource, .inSet(protected.name), .accept]),
        ] + origins.flatMap(rules)
    }

    /// The rules of one origin.
    func rules(_ origin: String) -> [RuleLayout] {
        [hosts(origin), ranges(origin)].flatMap { set in
            verdicts.map { verdict in
                let isTCP = verdict.contains(.resetTCP)
                return RuleLayout(
                    mark: set.name,
                    expressions: (isTCP ? [.isTCP] : []) + [
                        .loadSource, .inSet(set.name), .count(hosts(origin).name),
                    ] + verdict)
            }
        }
    }

    /// Whether a chain of the kernel's table is of our making, be it by an earlier configuration.
    func owns(chain: String) -> Bool {
        guard let base = chains.first.map({ $0.name.split(separator: "-").dropLast().joined(separator: "-") }) else {
            return false
        }
        return chain == base || chain.hasPrefix(base + "-")
    }
}

/// A base chain of type filter, policy accept; in iptables mode a chain that jumps to ours.
struct ChainLayout: Equatable, Sendable {
    var name: String
    /// Netfilter's number of the hook.
    var hook: UInt32
    var priority: Int32
}

/// One rule.
struct RuleLayout: Equatable, Sendable {
    enum Expression: Equatable, Sendable {
        case isTCP
        /// Puts the packet's source address into register 1.
        case loadSource
        case inSet(String)
        case count(String)
        case log(String)
        case accept
        case drop
        case reject
        case resetTCP
    }

    /// Kept by the kernel beside the rule: tells ours apart.
    var mark: String
    var expressions: [Expression]
}

extension FirewallConfig.Hook {
    var number: UInt32 {
        switch self {
        case .prerouting: 0
        case .input: 1
        case .forward: 2
        case .output: 3
        case .postrouting: 4
        }
    }
}
