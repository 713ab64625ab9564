/// What one family's table should look like: a value made from the configuration and the origins, compared with the
/// kernel and written to it (protocol facts F.4; ranges have sets of their own, F.9).
struct TableLayout: Equatable, Sendable {
    static let processed = "processed"

    let family: Family
    let table: String
    let setPrefix: String
    let chains: [ChainLayout]
    private let verdict: [RuleLayout.Expression]
    /// Names of origins, in the order of their rules.
    private(set) var origins: [String] = []

    init(_ config: FirewallConfig, _ family: Family) {
        let tables = config.tables(family)
        self.family = family
        table = tables.table
        setPrefix = tables.setPrefix
        chains = config.hooks.map { hook in
            ChainLayout(
                name: "\(tables.chain)-\(hook.rawValue)", hook: hook.number, priority: Int32(clamping: tables.priority))
        }
        let log = config.denyLogPrefix.map { [RuleLayout.Expression.log($0)] } ?? []
        verdict = log + [config.denyAction == .drop ? .drop : .reject]
    }

    /// True if the origin is new here.
    mutating func insert(origin: String) -> Bool {
        guard !origins.contains(origin) else { return false }
        origins.append(origin)
        return true
    }

    func hosts(_ origin: String) -> KernelSet {
        KernelSet(
            family: family, table: table, name: SetName.hosts(prefix: setPrefix, origin: origin), isInterval: false)
    }

    func ranges(_ origin: String) -> KernelSet {
        KernelSet(
            family: family, table: table, name: SetName.ranges(prefix: setPrefix, origin: origin), isInterval: true)
    }

    var sets: [KernelSet] { origins.flatMap { [hosts($0), ranges($0)] } }
    /// One per origin: a packet dropped by its ranges counts like one dropped by its addresses.
    var counters: [String] { [Self.processed] + origins.map { hosts($0).name } }
    /// The same for every chain.
    var rules: [RuleLayout] {
        [.init(mark: Self.processed, expressions: [.count(Self.processed)])] + origins.flatMap(rules)
    }

    /// The rules of one origin.
    func rules(_ origin: String) -> [RuleLayout] {
        [hosts(origin), ranges(origin)].map { set in
            RuleLayout(
                mark: set.name, expressions: [.loadSource, .inSet(set.name), .count(hosts(origin).name)] + verdict)
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

/// A base chain of type filter, policy accept.
struct ChainLayout: Equatable, Sendable {
    var name: String
    /// Netfilter's number of the hook.
    var hook: UInt32
    var priority: Int32
}

/// One rule.
struct RuleLayout: Equatable, Sendable {
    enum Expression: Equatable, Sendable {
        /// Puts the packet's source address into register 1.
        case loadSource
        case inSet(String)
        case count(String)
        case log(String)
        case drop
        case reject
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
