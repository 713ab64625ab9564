internal import CrowdCore
internal import Logging

/// Sets too large to be read back: the kernel walks a set from its beginning for each piece of a dump, which takes 50 s for a
/// million addresses and minutes for a million ranges, but looks up one element as fast in any set.
///
/// (1) What should be there is looked up, element by element; what should not shows in the kernel's own count (Linux 6.16;
///     older kernels' sets are dumped, whatever it takes).
/// (2) A sweep is cut into slices, between which new decisions are taken. What they change in the set is written already.
/// (3) A set with elements that nobody decided, or with intervals in the way of others, is emptied and filled in one
///     transaction.
extension Enforcer {
    /// A dump of so many addresses takes some 40 ms.
    static let largeSet = 20_000
    /// A dump of so many ranges takes some 20 ms.
    static let largeCover = 10_000
    /// Some five milliseconds.
    private static let elementsPerSlice = 2048

    /// Whether a set is one of those; its content is what it should hold.
    func isLarge(_ set: KernelSet, _ content: SetContent, _ table: KernelTable) -> Bool {
        guard set.kind != .prefixes, !set.isProtected, let count = table.sets[set.name]?.count else { return false }
        return max(count, content.count) > (set.isInterval ? Self.largeCover : Self.largeSet)
    }

    /// All of it at once: for the first complete list and after trouble.
    func compare(
        large content: SetContent, in set: KernelSet, _ count: Int, _ change: inout KernelChange,
        _ result: inout Verification
    ) throws(NetlinkError) {
        let now = MonotonicClock.now()
        result.decided += content.count(now: now)
        guard count > 0 else { return change.fills.append(.init(set: set, content: content, flushes: false)) }
        // Intervals that are there may be in the way; they are in force, and the complete list tells.
        if set.isInterval && !hasDecisions { return }
        var (plan, found) = (ElementPlan(), 0)
        let rest = content.segments
        while case let slice = rest.prefix(Self.elementsPerSlice), case let segments = Array(slice), !segments.isEmpty {
            let (part, there) = try lookUp(segments, in: set)
            plan.remove += part.remove
            plan.add += part.add
            found += there
        }
        if hasDecisions && (count > found || (set.isInterval && !plan.isEmpty)) {
            // Of a former list, or somebody else's.
            result.drift += max(count - found, plan.count)
            return change.fills.append(.init(set: set, content: content, flushes: true))
        }
        result.enforced += found
        result.drift += plan.drift(beyond: MonotonicClock.now() + Self.tolerance)
        if !plan.isEmpty { change.plans.append((set, plan)) }
    }

    /// Compares kernel and desired state and repairs what differs.
    ///
    /// - Parameter isDue: in full. Else somebody changed the ruleset, and large sets are only looked into if they have
    ///   fewer elements than they should.
    func verify(isDue: Bool = true) async -> Verification {
        let before = desired.count
        desired.purge(now: MonotonicClock.now())
        let purged = before - desired.count
        var result = converge(leavesLarge: true)
        await sweepLarge(&result, purged: purged, isDue: isDue, repairs: true)
        figures = result
        return result
    }

    /// Compares like `verify`, but only looks.
    func inspect() async -> Verification {
        var result = inspectSmall()
        await sweepLarge(&result, purged: .max / 2, isDue: true, repairs: false)
        return result
    }

    private func sweepLarge(_ result: inout Verification, purged: Int, isDue: Bool, repairs: Bool) async {
        for family in families {
            guard let layout = layouts[family] else { continue }
            for set in layout.sets where !set.isProtected {
                do {
                    try await sweep(set, &result, purged: purged, isDue: isDue, repairs: repairs)
                } catch {
                    result.drift += 1
                    result.cause = "\(error)"
                }
            }
        }
    }

    /// One set, slice by slice.
    private func sweep(
        _ set: KernelSet, _ result: inout Verification, purged: Int, isDue: Bool, repairs: Bool
    ) async throws(NetlinkError) {
        guard let layout = layouts[set.family], case let table = try filter.table(layout),
            let count = table.sets[set.name]?.count, let inventory = inventory(set, layout, table)
        else { return }
        let wanted = inventory.wanted
        guard isDue || count < wanted else { return result.trust(wanted) }
        var sweep = Sweep(result)
        for begin in stride(from: 0, to: inventory.count, by: Self.elementsPerSlice) {
            await Task.yield()
            // What a delta changed meanwhile has just been written, and is looked at next time.
            guard let slice = slice(inventory, begin) else { return result.trust(wanted) }
            try check(slice, in: set, &sweep, repairs: repairs)
        }
        let missing = sweep.missing(since: result)
        result = sweep.result
        guard repairs, revision == inventory.revision, hasDecisions else { return }
        let over = set.isInterval ? inventory.count - wanted : purged
        let excess = max(0, count - sweep.found - over)
        if try clean(set, excess: excess, isBlocked: sweep.isBlocked, &result) { result.enforced += missing }
    }

    /// What a sweep goes through. It must not hold on to what the next delta changes, which would then be copied.
    private struct Inventory {
        /// Of addresses only these: when they end is asked for slice by slice.
        var hosts: [UInt128] = []
        var segments: [Segment] = []
        /// Whose bans, where those of one origin are in the set.
        var id: SetID?
        /// Of the state when it was made.
        var revision: Int
        /// Elements that are not over.
        var wanted: Int

        var count: Int { hosts.count + segments.count }
    }

    /// `nil` for a set that is not large.
    private func inventory(_ set: KernelSet, _ layout: TableLayout, _ table: KernelTable) -> Inventory? {
        guard let content = content(set), isLarge(set, content, table) else { return nil }
        let name = layout.origins.first { layout.hosts($0) == set || layout.ranges($0) == set }
        let id = name.map { SetID(family: set.family, origin: origins.number(name: $0)) }
        var made = Inventory(id: id, revision: revision, wanted: content.count(now: MonotonicClock.now()))
        switch content {
        case .hosts(let hosts) where id != nil: made.hosts = Array(hosts.keys)
        case .hosts: made.segments = Array(content.segments)
        case .cover(let segments): made.segments = segments
        }
        return made
    }

    /// `nil` when the inventory is no longer what is decided.
    private func slice(_ inventory: Inventory, _ begin: Int) -> [Segment]? {
        let range = begin..<min(begin + Self.elementsPerSlice, inventory.count)
        if let id = inventory.id, !inventory.hosts.isEmpty {
            let hosts = desired.sets[id]?.hosts ?? [:]
            return inventory.hosts[range].compactMap { key in hosts[key].map { Segment(key, key, until: $0) } }
        }
        let kept = inventory.id.flatMap { covers[$0]?.revision }
        guard revision == inventory.revision || kept.map({ $0 <= inventory.revision }) ?? false else { return nil }
        return Array(inventory.segments[range])
    }

    /// What a set should hold now.
    private func content(_ set: KernelSet) -> SetContent? {
        guard let layout = layouts[set.family] else { return nil }
        return contents(layout, now: MonotonicClock.now()).first { $0.set == set }?.content
    }

    private struct Sweep {
        var result: Verification
        var found = 0
        /// An interval could not be written: another that nobody decided is in its way.
        var isBlocked = false

        init(_ result: Verification) { self.result = result }

        /// Elements that are decided and not there.
        func missing(since start: Verification) -> Int {
            (result.decided - start.decided) - (result.enforced - start.enforced)
        }
    }

    private func check(
        _ slice: [Segment], in set: KernelSet, _ sweep: inout Sweep, repairs: Bool
    ) throws(NetlinkError) {
        let (plan, there) = try lookUp(slice, in: set)
        sweep.found += there
        sweep.result.decided += slice.count
        sweep.result.enforced += there
        sweep.result.drift += plan.drift(beyond: MonotonicClock.now() + Self.tolerance)
        guard repairs, !plan.isEmpty else { return }
        guard set.isInterval else { return try repair(KernelChange(plans: [(set, plan)]), &sweep.result) }
        do {
            try commit(KernelChange(plans: [(set, plan)]))
            sweep.result.repair(plan, in: set)
        } catch {
            sweep.isBlocked = true
        }
    }

    /// Writes a set anew that holds what nobody decided; whether it does.
    private func clean(
        _ set: KernelSet, excess: Int, isBlocked: Bool, _ result: inout Verification
    ) throws(NetlinkError) -> Bool {
        // What has just ended is counted until the kernel has collected it: it must still be there next time.
        let before = excesses.updateValue(excess, forKey: set) ?? 0
        guard isBlocked || (excess > 0 && before > 0), let content = content(set) else { return false }
        result.drift += excess
        log.warning("A set holds elements that nobody decided, writing it anew", metadata: ["set": "\(set.name)"])
        try commit(KernelChange(fills: [.init(set: set, content: content, flushes: true)]))
        result.repaired += max(1, excess)
        excesses[set] = 0
        return true
    }

    /// What has to change for some elements, and how many of them are there.
    private func lookUp(
        _ wanted: [Segment], in set: KernelSet
    ) throws(NetlinkError) -> (plan: ElementPlan, found: Int) {
        let now = MonotonicClock.now()
        let live = wanted.filter { $0.deadline > now }
        let ends = try filter.deadlines(of: live.map(\.span), in: set)
        let closeness = closeness(MonotonicClock.now())
        var (plan, found) = (ElementPlan(), 0)
        for (segment, end) in zip(live, ends) {
            if end != nil { found += 1 }
            if let end, closeness.isSame(end, segment.deadline) { continue }
            if end != nil { plan.remove.append(segment.span) }
            plan.add.append(segment)
        }
        return (plan, found)
    }
}

extension Verification {
    /// Elements that were not looked at.
    fileprivate mutating func trust(_ count: Int) {
        decided += count
        enforced += count
    }
}
