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

    init() throws(NetlinkError) {
        socket = try NetlinkSocket()
        canDestroy = Self.probeDestroy(socket)
    }

    func table(_ layout: TableLayout) throws(NetlinkError) -> KernelTable {
        try retried { () throws(NetlinkError) in try socket.table(layout.table, layout.family) }
    }

    func elements(of set: KernelSet) throws(NetlinkError) -> [Segment] {
        try retried { () throws(NetlinkError) in try socket.elements(of: set) }
    }

    func counters(_ layout: TableLayout) throws(NetlinkError) -> [String: KernelTable.Counter] {
        try retried { () throws(NetlinkError) in try socket.counters(of: layout.table, layout.family) }
    }

    func generation() throws(NetlinkError) -> UInt32 { try socket.generation() }

    func remove(_ layout: TableLayout) throws(NetlinkError) {
        var batch = NetlinkBatch("delete table \(layout.table)", socket)
        batch.deleteTable(layout.table, layout.family)
        do {
            try batch.commit()
        } catch  where error.code == ENOENT {
            return
        }
    }

    func build(_ layout: TableLayout, over actual: KernelTable) throws(NetlinkError) {
        do {
            try write(layout, over: actual)
        } catch  where actual.exists {
            // Something of ours is in use in a way that we cannot change: begin anew. The elements come back with the
            // next comparison.
            try remove(layout)
            try write(layout, over: KernelTable())
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
            // Interval sets change as a whole: a boundary may move over others.
            for piece in set.isInterval ? [plan] : plan.pieces(first: room, then: Self.elementsPerTransaction) {
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
    }

    /// Below this a ban is over before it matters; a timeout of zero would be for ever.
    private static let shortestTimeout: Deadline = 1

    /// A dump that somebody's change interrupted is begun again.
    private func retried<Result>(_ body: () throws(NetlinkError) -> Result) throws(NetlinkError) -> Result {
        for _ in 0..<4 {
            do { return try body() } catch  where error.code == EINTR { continue }
        }
        return try body()
    }

    private static func probeDestroy(_ socket: NetlinkSocket) -> Bool {
        var batch = NetlinkBatch("probe", socket)
        batch.add(UInt16(CROWD_NFT_MSG_DESTROYTABLE), .v4) { header in
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
    func matches(_ shape: KernelTable.SetShape?) -> Bool {
        shape?.flags == flags && shape?.keyLength == UInt32(family.width)
    }
}

extension ElementPlan {
    /// Cut into pieces of at most `first` and then `then` elements; an element's removal and addition stay together.
    func pieces(first: Int, then: Int) -> [ElementPlan] {
        guard count > first else { return [self] }
        let removals = remove.sorted()
        let additions = add.sorted { $0.span < $1.span }
        var (pieces, piece, limit) = ([ElementPlan](), ElementPlan(), max(2, first))
        var (i, j) = (0, 0)
        while i < removals.count || j < additions.count {
            let key = min(
                i < removals.count ? removals[i].first : .max, j < additions.count ? additions[j].span.first : .max)
            while i < removals.count, removals[i].first == key {
                piece.remove.append(removals[i])
                i += 1
            }
            while j < additions.count, additions[j].span.first == key {
                piece.add.append(additions[j])
                j += 1
            }
            guard piece.count >= limit - 1 else { continue }
            pieces.append(piece)
            (piece, limit) = (ElementPlan(), then)
        }
        return piece.isEmpty ? pieces : pieces + [piece]
    }
}
