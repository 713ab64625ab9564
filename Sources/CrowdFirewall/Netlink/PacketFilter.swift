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
    /// Makes new origins' sets, counters and rules and changes elements: one transaction, split only by size.
    func commit(_ change: KernelChange) throws(NetlinkError)
    func counters(_ layout: TableLayout) throws(NetlinkError) -> [String: KernelTable.Counter]
    /// Moves whenever anybody changes the ruleset.
    func generation() throws(NetlinkError) -> UInt32
}

extension PacketFilter {
    func located(_ layout: TableLayout) throws(NetlinkError) -> TableLayout { layout }
}

/// One transaction's worth of wishes.
struct KernelChange: Sendable {
    var newOrigins: [(layout: TableLayout, origin: String)] = []
    var plans: [(set: KernelSet, plan: ElementPlan)] = []

    var isEmpty: Bool { newOrigins.isEmpty && plans.allSatisfy(\.plan.isEmpty) }
    var count: Int { plans.reduce(0) { $0 + $1.plan.count } }
}
