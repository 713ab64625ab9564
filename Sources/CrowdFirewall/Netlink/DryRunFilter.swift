internal import Logging

/// `mode: dry-run`: remembers what it was told and logs it; touches nothing.
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
        log.info("dry-run: would build the table", metadata: ["table": "\(layout.table)"])
    }

    func remove(_ layout: TableLayout) throws(NetlinkError) {
        log.info("dry-run: would delete the table", metadata: ["table": "\(layout.table)"])
    }

    func elements(of set: KernelSet) throws(NetlinkError) -> [Segment] {
        let now = MonotonicClock.now()
        return (sets[set] ?? [:]).filter { $0.value > now }.map { Segment($0.key, until: $0.value) }
            .sorted { $0.span < $1.span }
    }

    func commit(_ change: KernelChange) throws(NetlinkError) {
        for (set, plan) in change.plans {
            for span in plan.remove {
                sets[set, default: [:]][span] = nil
                say("delete", span, set, nil)
            }
            for segment in plan.add {
                sets[set, default: [:]][segment.span] = segment.deadline
                say("add", segment.span, set, segment.deadline)
            }
        }
    }

    func counters(_ layout: TableLayout) throws(NetlinkError) -> [String: KernelTable.Counter] { [:] }
    func generation() throws(NetlinkError) -> UInt32 { 0 }

    private func say(_ verb: String, _ span: AddressSpan, _ set: KernelSet, _ deadline: Deadline?) {
        let left = deadline.map { " for \(($0 - MonotonicClock.now()) / 1000)s" } ?? ""
        log.info("dry-run: would \(verb) \(span.text(set.family))\(left)", metadata: ["set": "\(set.name)"])
    }
}
