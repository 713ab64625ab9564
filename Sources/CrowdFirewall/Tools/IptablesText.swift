/// What `iptables-save -c -t filter` says about us, and what `iptables-restore` is told.
struct IptablesText {
    /// Chains with a jump to ours.
    private(set) var jumps: [String] = []
    private(set) var hasChain = false
    private(set) var hasLogChain = false
    private(set) var rules: [KernelTable.Rule] = []
    private var counts: [(mark: String, counter: KernelTable.Counter)] = []

    init(_ saved: String) {
        for line in saved.split(separator: "\n") {
            if line.hasPrefix(":\(IpsetFilter.chain) ") { hasChain = true }
            if line.hasPrefix(":\(IpsetFilter.logChain) ") { hasLogChain = true }
            guard line.hasPrefix("["), let end = line.firstIndex(of: "]") else { continue }
            let rule = line[end...].dropFirst(2)
            let words = rule.split(separator: " ")
            guard words.count >= 2, words[0] == "-A" else { continue }
            if words[1] == IpsetFilter.chain { take(rule, words, line[..<end].dropFirst()) }
            let target = words.firstIndex(of: "-j").map { words.index(after: $0) }
            if let target, target < words.endIndex, words[target] == IpsetFilter.chain, words.count == 4 {
                jumps.append(String(words[1]))
            }
        }
    }

    private mutating func take(_ rule: Substring, _ words: [Substring], _ count: Substring) {
        let set = words.firstIndex(of: "--match-set").map { words.index(after: $0) }.map { String(words[$0]) }
        let target = words.firstIndex(of: "-j").map { String(words[words.index(after: $0)]) }
        let mark = set ?? TableLayout.processed
        rules.append(
            .init(
                mark: mark, expressions: Array(rule.utf8), lookups: set.map { [$0] } ?? [],
                action: Self.action(target)))
        let figures = count.split(separator: ":").map { UInt64($0) ?? 0 }
        counts.append((mark, .init(packets: figures.first ?? 0, bytes: figures.last ?? 0)))
    }

    private static func action(_ target: String?) -> KernelTable.Action? {
        switch target {
        case "RETURN": .accept
        case "DROP", "TARPIT", IpsetFilter.logChain: .drop
        case "REJECT": .reject
        default: nil
        }
    }

    /// Counts of an origin's rules together.
    func counters(_ layout: TableLayout) -> [String: KernelTable.Counter] {
        var counters = Dictionary(layout.counters.map { ($0, KernelTable.Counter(packets: 0, bytes: 0)) }) { $1 }
        for (mark, counter) in counts {
            let origin = layout.naming.origin(of: mark, prefix: layout.setPrefix)
            let name = origin.map { layout.hosts($0).name } ?? mark
            counters[name, default: .init(packets: 0, bytes: 0)].packets += counter.packets
            counters[name, default: .init(packets: 0, bytes: 0)].bytes += counter.bytes
        }
        return counters
    }

    // MARK: Writing

    /// Our chain as the layout says, and a jump to it at the head of each configured chain.
    static func restore(_ layout: TableLayout, _ config: FirewallConfig, saved: IptablesText) -> String {
        var lines = ["*filter", ":\(IpsetFilter.chain) - [0:0]"]
        let logs = config.denyLogPrefix != nil
        if logs { lines.append(":\(IpsetFilter.logChain) - [0:0]") }
        lines += layout.rules.map { "-A \(IpsetFilter.chain)\(rule($0, config, logs))" }
        if let prefix = config.denyLogPrefix { lines += logRules(prefix, config) }
        let wanted = layout.chains.map(\.name)
        for chain in saved.jumps where !wanted.contains(chain) { lines.append("-D \(chain) -j \(IpsetFilter.chain)") }
        for chain in wanted where !saved.jumps.contains(chain) { lines.append("-I \(chain) 1 -j \(IpsetFilter.chain)") }
        if !logs && saved.hasLogChain { lines += ["-F \(IpsetFilter.logChain)", "-X \(IpsetFilter.logChain)"] }
        return (lines + ["COMMIT", ""]).joined(separator: "\n")
    }

    /// Takes away all that is ours.
    static func removal(_ saved: IptablesText) -> String {
        var lines = saved.jumps.map { "-D \($0) -j \(IpsetFilter.chain)" }
        for (chain, isThere) in [(IpsetFilter.chain, saved.hasChain), (IpsetFilter.logChain, saved.hasLogChain)]
        where isThere {
            lines.append("-F \(chain)")
        }
        if saved.hasChain { lines.append("-X \(IpsetFilter.chain)") }
        if saved.hasLogChain { lines.append("-X \(IpsetFilter.logChain)") }
        return (["*filter"] + lines + ["COMMIT", ""]).joined(separator: "\n")
    }

    private static func rule(_ rule: RuleLayout, _ config: FirewallConfig, _ logs: Bool) -> String {
        var text = rule.expressions.contains(.isTCP) ? " -p tcp" : ""
        var comment = rule.mark
        if case .inSet(let set)? = rule.expressions.first(where: { if case .inSet = $0 { true } else { false } }) {
            text += " -m set --match-set \(set) src"
            comment = set
        }
        if config.iptables.addComments { text += " -m comment --comment \"CrowdSec: \(comment)\"" }
        guard comment != TableLayout.processed else { return text }
        if rule.expressions.contains(.accept) { return text + " -j RETURN" }
        return text + (logs ? " -j \(IpsetFilter.logChain)" : target(rule.expressions.contains(.resetTCP), config))
    }

    private static func logRules(_ prefix: String, _ config: FirewallConfig) -> [String] {
        // The kernel takes 29 bytes; quotes would end the argument.
        let plain = String(
            decoding: prefix.utf8.filter { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }.prefix(29),
            as: UTF8.self)
        let head = "-A \(IpsetFilter.logChain)"
        let reset = config.denyAction == .reject && config.rejectWith == .tcpReset
        let end = config.denyAction == .log ? [] : ["\(head)\(target(false, config))"]
        return ["\(head) -j LOG --log-prefix \"\(plain)\""] + (reset ? ["\(head) -p tcp\(target(true, config))"] : [])
            + end
    }

    private static func target(_ resetsTCP: Bool, _ config: FirewallConfig) -> String {
        switch config.denyAction {
        case .reject where resetsTCP: " -j REJECT --reject-with tcp-reset"
        case let action: " -j \(action.rawValue)"
        }
    }
}
