internal import Logging

/// `mode: dry-run`: remembers what it was told and logs it in nft's own words; touches nothing.
final class DryRunFilter: PacketFilter {
    private let log: Logger
    private var sets: [KernelSet: [AddressSpan: Deadline]] = [:]

    init(log: Logger) { self.log = log }

    func table(_ layout: TableLayout) throws(NetlinkError) -> KernelTable {
        var table = KernelTable(exists: true)
        for chain in layout.chains {
            table.chains[chain.name] = .init(
                hook: chain.hook, priority: chain.priority,
                rules: layout.rules.map { .init(mark: $0.mark, expressions: []) })
        }
        for set in layout.sets { table.sets[set.name] = .init(flags: set.flags, keyLength: UInt32(set.family.width)) }
        for counter in layout.counters { table.counters[counter] = .init(packets: 0, bytes: 0) }
        return table
    }

    func build(_ layout: TableLayout, over actual: KernelTable) throws(NetlinkError) {
        for line in NftText.commands(layout) { log.info("dry-run: \(line)") }
    }

    func remove(_ layout: TableLayout) throws(NetlinkError) {
        log.info("dry-run: delete table \(NftText.place(layout.family, layout.table))")
    }

    func elements(of set: KernelSet) throws(NetlinkError) -> [Segment] {
        let now = MonotonicClock.now()
        return (sets[set] ?? [:]).filter { $0.value > now }.map { Segment($0.key, until: $0.value) }
            .sorted { $0.span < $1.span }
    }

    func commit(_ change: KernelChange) throws(NetlinkError) {
        for (layout, origin) in change.newOrigins {
            for line in NftText.commands(layout, origin) { log.info("dry-run: \(line)") }
        }
        let now = MonotonicClock.now()
        for fill in change.fills {
            sets[fill.set] = Dictionary(fill.content.segments.map { ($0.span, $0.deadline) }) { max($0, $1) }
        }
        for (set, plan) in change.plans {
            for span in plan.remove { sets[set, default: [:]][span] = nil }
            for segment in plan.add { sets[set, default: [:]][segment.span] = segment.deadline }
        }
        for line in NftText.commands(change, now: now) { log.info("dry-run: \(line)") }
    }

    func counters(_ layout: TableLayout) throws(NetlinkError) -> [String: KernelTable.Counter] { [:] }
    func generation() throws(NetlinkError) -> UInt32 { 0 }
}
