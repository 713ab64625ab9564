internal import CNetfilter
internal import CNetfilterSystem
internal import CrowdCore
internal import Glibc

/// nf_tables over netlink.
final class NftablesFilter: PacketFilter {
    /// Elements per transaction: some 6 MB of messages.
    private static let elementsPerTransaction = 200_000

    private let socket: NetlinkSocket
    /// The kernel deletes what may not be there (6.3 and later).
    private let canDestroy: Bool

    init(_ socket: NetlinkSocket) {
        self.socket = socket
        canDestroy = Self.probeDestroy(socket)
    }

    convenience init() throws(NetlinkError) { self.init(try NetlinkSocket()) }

    func located(_ layout: TableLayout) throws(NetlinkError) -> TableLayout {
        guard layout.isSetOnly else { return layout }
        var layout = layout
        let families = try retried { () throws(NetlinkError) in try socket.families(ofTable: layout.table) }
        // The table of the addresses' own family, else `inet`, else whichever.
        let best = [layout.family.netfilter, UInt16(NFPROTO_INET)].first(where: families.contains)
        guard let family = best ?? families.first else { return layout }
        layout.tableFamily = family
        if let shape = try table(layout).sets[layout.setPrefix] {
            layout.singleKind = shape.flags & k32(NFT_SET_INTERVAL) != 0 ? .interval : .hash
        }
        return layout
    }

    func table(_ layout: TableLayout) throws(NetlinkError) -> KernelTable {
        try retried { () throws(NetlinkError) in try socket.table(layout.table, layout.tableFamily) }
    }

    func elements(of set: KernelSet) throws(NetlinkError) -> [Segment] {
        try retried { () throws(NetlinkError) in try socket.elements(of: set) }
    }

    func deadlines(of spans: [AddressSpan], in set: KernelSet) throws(NetlinkError) -> [Deadline?] {
        try retried { () throws(NetlinkError) in try socket.deadlines(of: spans, in: set) }
    }

    func element(covering address: UInt128, in set: KernelSet) throws(NetlinkError) -> Segment? {
        try retried { () throws(NetlinkError) in try socket.element(covering: address, in: set) }
    }

    func counters(_ layout: TableLayout) throws(NetlinkError) -> [String: KernelTable.Counter] {
        try retried { () throws(NetlinkError) in try socket.counters(of: layout.table, layout.tableFamily) }
    }

    func generation() throws(NetlinkError) -> UInt32 { try socket.generation() }

    func remove(_ layout: TableLayout) throws(NetlinkError) {
        guard !layout.isSetOnly else { return try flush(layout.single) }
        var batch = NetlinkBatch("delete table \(layout.table)", socket)
        batch.deleteTable(layout.table, layout.family)
        do {
            try batch.commit()
        } catch  where error.code == ENOENT {
            return
        }
    }

    private func flush(_ set: KernelSet) throws(NetlinkError) {
        var batch = NetlinkBatch("flush set \(set.name)", socket)
        batch.flushSet(set)
        do {
            try batch.commit()
        } catch  where error.code == ENOENT {
            return
        }
    }

    func build(_ layout: TableLayout, over actual: KernelTable) throws(NetlinkError) {
        guard !layout.isSetOnly else { return try buildSet(layout, over: actual) }
        do {
            try write(layout, over: actual)
        } catch  where actual.exists {
            // Something of ours is in use in a way that we cannot change: begin anew. The elements come back with the
            // next comparison.
            try remove(layout)
            try write(layout, over: KernelTable())
        }
    }

    /// Set-only: the table is somebody else's, and so may be the set.
    private func buildSet(_ layout: TableLayout, over actual: KernelTable) throws(NetlinkError) {
        guard actual.exists else { throw NetlinkError(code: ENOENT, action: "set-only: find table \(layout.table)") }
        guard let shape = actual.sets[layout.single.name] else {
            var batch = NetlinkBatch("create set \(layout.single.name)", socket)
            batch.createSet(layout.single, id: 1)
            return try batch.commit()
        }
        guard layout.single.matches(shape) else {
            let wanted = "type \(layout.family == .v4 ? "ipv4_addr" : "ipv6_addr"), flags timeout or interval,timeout"
            throw NetlinkError(
                code: EINVAL, action: "set-only: use set \(layout.single.name), which must have \(wanted)")
        }
    }

    private func write(_ layout: TableLayout, over actual: KernelTable) throws(NetlinkError) {
        var batch = NetlinkBatch("build table \(layout.table)", socket)
        batch.createTable(layout.table, layout.family)
        for (name, chain) in actual.chains where layout.owns(chain: name) {
            batch.flushChain(name, in: layout.table, layout.family)
            if !layout.chains.contains(where: { $0.matches(name, chain) }) {
                batch.deleteChain(name, in: layout.table, layout.family)
            }
        }
        for chain in layout.chains where !(actual.chains[chain.name].map { chain.matches(chain.name, $0) } ?? false) {
            batch.createChain(chain, in: layout.table, layout.family)
        }
        for counter in layout.counters where actual.counters[counter] == nil {
            batch.createCounter(counter, in: layout.table, layout.family)
        }
        for (number, set) in layout.sets.enumerated() where !set.matches(actual.sets[set.name]) {
            if actual.sets[set.name] != nil { batch.deleteSet(set.name, in: set.table, set.family) }
            batch.createSet(set, id: UInt32(number) + 1)
        }
        for chain in layout.chains {
            for rule in layout.rules { batch.appendRule(rule, to: chain.name, in: layout.table, layout.family) }
        }
        try batch.commit()
    }

    func commit(_ change: KernelChange) throws(NetlinkError) {
        let now = MonotonicClock.now()
        var batch = NetlinkBatch("update sets", socket)
        var id: UInt32 = 0
        for (layout, origin) in change.newOrigins {
            for set in [layout.hosts(origin), layout.ranges(origin)] {
                id += 1
                batch.createSet(set, id: id)
            }
            batch.createCounter(layout.hosts(origin).name, in: layout.table, layout.family)
            for chain in layout.chains {
                for rule in layout.rules(origin) {
                    batch.appendRule(rule, to: chain.name, in: layout.table, layout.family)
                }
            }
        }
        var room = Self.elementsPerTransaction
        for (set, plan) in change.plans {
            for piece in plan.pieces(first: room, then: Self.elementsPerTransaction) {
                if piece.count > room {
                    try batch.commit()
                    batch = NetlinkBatch("update sets", socket)
                    room = Self.elementsPerTransaction
                }
                batch.removeElements(piece.remove, from: set, canDestroy: canDestroy)
                batch.addElements(
                    piece.add.lazy.filter { $0.deadline - now >= Self.shortestTimeout }, to: set, now: now)
                room -= piece.count
            }
        }
        try batch.commit()
        for fill in change.fills { try write(fill, now) }
    }

    /// One transaction if the set is flushed first, so that what stays banned never lapses; else of bounded size.
    private func write(_ fill: KernelChange.Fill, _ now: Deadline) throws(NetlinkError) {
        let pieces = fill.flushes ? 1 : fill.content.count / Self.elementsPerTransaction + 1
        let size = fill.content.count / pieces + 1
        let rest = fill.content.segments
        for _ in 0..<pieces {
            var batch = NetlinkBatch("fill set \(fill.set.name)", socket)
            if fill.flushes { batch.flushSet(fill.set) }
            var left = size
            let segments = AnyIterator { () -> Segment? in
                while left > 0, let segment = rest.next() {
                    left -= 1
                    if segment.deadline - now >= Self.shortestTimeout { return segment }
                }
                return nil
            }
            batch.addElements(segments, to: fill.set, now: now)
            try batch.commit()
        }
    }

    /// Below this a ban is over before it matters; a timeout of zero would be for ever.
    private static let shortestTimeout: Deadline = 1

    /// A dump that somebody's change interrupted, or of which something was lost, is begun again.
    private func retried<Result>(_ body: () throws(NetlinkError) -> Result) throws(NetlinkError) -> Result {
        for _ in 0..<7 {
            do { return try body() } catch  where error.code == EINTR || error.code == ENOBUFS { continue }
        }
        return try body()
    }

    private static func probeDestroy(_ socket: NetlinkSocket) -> Bool {
        var batch = NetlinkBatch("probe", socket)
        batch.add(UInt16(CROWD_NFT_MSG_DESTROYTABLE), Family.v4.netfilter) { header in
            mnl_attr_put_strz(header, k16(NFTA_TABLE_NAME), "crowd-probe-no-such-table")
        }
        return (try? batch.commit()) != nil
    }
}

extension ChainLayout {
    func matches(_ name: String, _ chain: KernelTable.Chain) -> Bool {
        name == self.name && chain.hook == hook && chain.priority == priority
    }
}

extension KernelSet {
    /// Other flags (auto-merge, dynamic) are the business of who made the set.
    func matches(_ shape: KernelTable.SetShape?) -> Bool {
        guard let shape else { return false }
        let decisive = k32(NFT_SET_TIMEOUT) | k32(NFT_SET_INTERVAL) | k32(NFT_SET_MAP) | k32(NFT_SET_CONSTANT)
        return shape.flags & decisive == flags && shape.keyLength == UInt32(family.width)
    }
}
