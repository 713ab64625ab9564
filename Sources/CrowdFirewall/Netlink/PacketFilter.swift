/// What the enforcer needs of a packet filter. Used by one caller at a time.
protocol PacketFilter: AnyObject {
    /// The layout with what only the kernel knows: in set-only mode, the table's family and the kind of its set.
    func located(_ layout: TableLayout) throws(NetlinkError) -> TableLayout
    /// What is there under the layout's table name.
    func table(_ layout: TableLayout) throws(NetlinkError) -> KernelTable
    /// Makes table, chains, counters, sets and rules as the layout says, in one transaction. Elements of sets that are
    /// there already stay.
    func build(_ layout: TableLayout, over actual: KernelTable) throws(NetlinkError)
    /// Removes the layout's table with all that is in it; in set-only mode only the content of the set.
    func remove(_ layout: TableLayout) throws(NetlinkError)
    /// Elements of a set, sorted.
    func elements(of set: KernelSet) throws(NetlinkError) -> [Segment]
    /// When some elements of a set end, in their order; `nil` for what is not there exactly so. Only asked for sets of
    /// which `table` told the count.
    func deadlines(of spans: [AddressSpan], in set: KernelSet) throws(NetlinkError) -> [Deadline?]
    /// Makes new origins' sets, counters and rules and changes elements: one transaction, split only by size.
    func commit(_ change: KernelChange) throws(NetlinkError)
    /// The element that covers an address. Only asked for sets of which `table` told the count.
    func element(covering address: UInt128, in set: KernelSet) throws(NetlinkError) -> Segment?
    func counters(_ layout: TableLayout) throws(NetlinkError) -> [String: KernelTable.Counter]
    /// Moves whenever anybody changes the ruleset.
    func generation() throws(NetlinkError) -> UInt32
}

extension PacketFilter {
    func deadlines(of spans: [AddressSpan], in set: KernelSet) throws(NetlinkError) -> [Deadline?] {
        let ends = Dictionary(try elements(of: set).map { ($0.span, $0.deadline) }) { max($0, $1) }
        return spans.map { ends[$0] }
    }

    func element(covering address: UInt128, in set: KernelSet) throws(NetlinkError) -> Segment? {
        let now = MonotonicClock.now()
        return try elements(of: set).first { $0.span.first <= address && address <= $0.span.last && $0.deadline > now }
    }

    func located(_ layout: TableLayout) throws(NetlinkError) -> TableLayout { layout }
}

/// One transaction's worth of wishes.
struct KernelChange: Sendable {
    var newOrigins: [(layout: TableLayout, origin: String)] = []
    var plans: [(set: KernelSet, plan: ElementPlan)] = []
    /// Sets that are to hold exactly this; what they hold is not known, or nothing.
    var fills: [Fill] = []

    struct Fill: Sendable {
        var set: KernelSet
        var content: SetContent
        /// What is there goes, in the same transaction.
        var flushes: Bool
    }

    var isEmpty: Bool { newOrigins.isEmpty && plans.allSatisfy(\.plan.isEmpty) && fills.isEmpty }
    var count: Int { plans.reduce(0) { $0 + $1.plan.count } }
}
