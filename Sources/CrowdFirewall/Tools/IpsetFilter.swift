internal import CNetfilterSystem
internal import CrowdCore
internal import Glibc

/// `mode: iptables` and `mode: ipset`: ipset's sets and, in the former, iptables' rules, through the distribution's own
/// tools (protocol facts F.5).
///
/// (1) Sets are `hash:net` and are only ever changed by difference: additions before deletions, so that what stays banned
///     never lapses. `ipset restore` is no transaction: what fails is found by comparing again.
/// (2) Our chain is written anew in one `iptables-restore`, which takes all of it or nothing.
final class IpsetFilter: PacketFilter {
    static let chain = "CROWDSEC_CHAIN"
    static let logChain = "CROWDSEC_LOG"
    /// ipset's own limit, in seconds.
    static let longestTimeout: Deadline = 2_147_483

    private let ipset = SystemTool(name: "ipset")
    private let config: FirewallConfig

    init(_ config: FirewallConfig) { self.config = config }

    func table(_ layout: TableLayout) throws(NetlinkError) -> KernelTable {
        var table = KernelTable()
        table.sets = IpsetText.shapes(Self.text(try ipset.run(["list", "-t"])), layout)
        guard !layout.isSetOnly else {
            table.exists = table.sets[layout.single.name] != nil
            return table
        }
        let saved = try save(layout)
        table.exists = saved.hasChain
        for chain in saved.jumps { table.chains[chain] = .init(hook: 0, priority: 0, rules: saved.rules) }
        table.counters = saved.counters(layout)
        return table
    }

    private func save(_ layout: TableLayout) throws(NetlinkError) -> IptablesText {
        let tool = SystemTool(name: layout.family == .v4 ? "iptables-save" : "ip6tables-save")
        return IptablesText(Self.text(try tool.run(["-c", "-t", "filter"])))
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    func build(_ layout: TableLayout, over actual: KernelTable) throws(NetlinkError) {
        guard !layout.isSetOnly else {
            guard layout.single.matches(actual.sets[layout.single.name]) else {
                let wanted = "of type hash:net, family \(layout.family == .v4 ? "inet" : "inet6"), with timeout"
                throw NetlinkError(
                    code: ENOENT, action: "use ipset \(layout.single.name), which must be there \(wanted)")
            }
            return
        }
        try create(layout.sets)
        try writeChain(layout)
    }

    private func create(_ sets: [KernelSet]) throws(NetlinkError) {
        let size = config.iptables.setSize
        let lines = sets.map { set in
            "create \(set.name) hash:net family \(set.family == .v4 ? "inet" : "inet6") timeout 300 maxelem \(size) -exist\n"
        }
        _ = try ipset.run(["restore"], input: Array(lines.joined().utf8))
    }

    private func writeChain(_ layout: TableLayout) throws(NetlinkError) {
        let saved = try save(layout)
        let tool = SystemTool(name: layout.family == .v4 ? "iptables-restore" : "ip6tables-restore")
        let text = IptablesText.restore(layout, config, saved: saved)
        _ = try tool.run(["--noflush", "-w", "10"], input: Array(text.utf8))
    }

    func remove(_ layout: TableLayout) throws(NetlinkError) {
        guard !layout.isSetOnly else {
            _ = try ipset.run(["flush", layout.single.name])
            return
        }
        let saved = try save(layout)
        let tool = SystemTool(name: layout.family == .v4 ? "iptables-restore" : "ip6tables-restore")
        _ = try tool.run(["--noflush", "-w", "10"], input: Array(IptablesText.removal(saved).utf8))
        let sets = IpsetText.shapes(Self.text(try ipset.run(["list", "-t"])), layout)
        for name in sets.keys.sorted() where name == layout.protected.name || name.hasPrefix(layout.setPrefix + "-") {
            _ = try ipset.run(["destroy", name])
        }
    }

    func elements(of set: KernelSet) throws(NetlinkError) -> [Segment] {
        IpsetText.elements(try ipset.run(["save", set.name]), now: MonotonicClock.now()).sorted { $0.span < $1.span }
    }

    func commit(_ change: KernelChange) throws(NetlinkError) {
        var latest: [Family: TableLayout] = [:]
        for (layout, _) in change.newOrigins { latest[layout.family] = layout }
        for layout in latest.values { try create(layout.sets) }
        var lines: [UInt8] = []
        let now = MonotonicClock.now()
        for (set, plan) in change.plans { IpsetText.write(plan, to: set, now: now, &lines) }
        if !lines.isEmpty { _ = try ipset.run(["restore"], input: lines) }
        for layout in latest.values { try writeChain(layout) }
    }

    func counters(_ layout: TableLayout) throws(NetlinkError) -> [String: KernelTable.Counter] {
        layout.isSetOnly ? [:] : try save(layout).counters(layout)
    }

    /// There is none: changes by others are found by the sweep.
    func generation() throws(NetlinkError) -> UInt32 { 0 }
}
