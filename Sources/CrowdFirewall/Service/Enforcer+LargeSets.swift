internal import CrowdCore
internal import Logging

/// Hash sets too large to be read back: the kernel walks a set from its beginning for each piece of a dump, which takes
/// 50 s for a million elements, but looks up one key as fast in any set.
///
/// (1) What should be there is looked up, key by key; what should not shows in the kernel's own count (Linux 6.16; older
///     kernels' sets are dumped, whatever it takes).
/// (2) A sweep is cut into slices, between which new decisions are taken.
/// (3) A set with elements that nobody decided is emptied and filled in one transaction.
extension Enforcer {
    /// A dump of so many takes some 40 ms.
    static let largeSet = 20_000
    /// Some five milliseconds.
    private static let keysPerSlice = 2048

    /// What a set should hold, if it is one of those.
    func largeHosts(_ set: KernelSet, _ content: SetContent, _ table: KernelTable) -> [UInt128: Deadline]? {
        guard case .hosts(let hosts) = content, set.kind == .hash, let count = table.sets[set.name]?.count,
            max(count, hosts.count) > Self.largeSet
        else { return nil }
        return hosts
    }

    /// All of it at once: for the first complete list and after trouble.
    func compare(
        large hosts: [UInt128: Deadline], in set: KernelSet, _ count: Int, _ change: inout KernelChange,
        _ result: inout Verification
    ) throws(NetlinkError) {
        result.decided += hosts.count
        guard count > 0 else { return change.fills.append(.init(set: set, hosts: hosts, flushes: false)) }
        let (plan, found) = try lookUp(hosts, in: set)
        if hasDecisions && count > found {
            // Of a former list, or somebody else's.
            result.drift += count - found
            return change.fills.append(.init(set: set, hosts: hosts, flushes: true))
        }
        result.enforced += found
        result.drift += plan.drift(beyond: MonotonicClock.now() + Self.tolerance)
        if !plan.isEmpty { change.plans.append((set, plan)) }
    }

    /// Compares kernel and desired state in full and repairs what differs.
    func verify() async -> Verification {
        let before = desired.count
        desired.purge(now: MonotonicClock.now())
        let purged = before - desired.count
        var result = converge(leavesLarge: true)
        await sweepLarge(&result, purged: purged, repairs: true)
        figures = result
        return result
    }

    /// Compares like `verify`, but only looks.
    func inspect() async -> Verification {
        var result = inspectSmall()
        await sweepLarge(&result, purged: .max, repairs: false)
        return result
    }

    private func sweepLarge(_ result: inout Verification, purged: Int, repairs: Bool) async {
        for family in families {
            guard let layout = layouts[family], !layout.isSetOnly else { continue }
            for name in layout.origins {
                do {
                    try await sweep(layout.hosts(name), name, &result, purged: purged, repairs: repairs)
                } catch {
                    result.drift += 1
                    result.cause = "\(error)"
                }
            }
        }
    }

    /// One set, slice by slice.
    private func sweep(
        _ set: KernelSet, _ origin: String, _ result: inout Verification, purged: Int, repairs: Bool
    ) async throws(NetlinkError) {
        guard let layout = layouts[set.family], case let table = try filter.table(layout),
            largeHosts(set, .hosts(hosts(set, origin)), table) != nil, let count = table.sets[set.name]?.count
        else { return }
        let start = revision
        var found = 0
        // What comes meanwhile has just been written, and is not looked at.
        let keys = Array(hosts(set, origin).keys)
        for begin in stride(from: 0, to: keys.count, by: Self.keysPerSlice) {
            await Task.yield()
            let slice = keys[begin..<min(begin + Self.keysPerSlice, keys.count)]
            let (plan, there) = try lookUp(slice, of: hosts(set, origin), in: set)
            found += there
            result.decided += slice.count
            result.enforced += there
            result.drift += plan.drift(beyond: MonotonicClock.now() + Self.tolerance)
            if repairs && !plan.isEmpty { try repair(KernelChange(plans: [(set, plan)]), &result) }
        }
        guard repairs, revision == start, hasDecisions else { return }
        // What has just ended is counted until the kernel has collected it: it must still be there next time.
        let excess = max(0, count - found - purged)
        defer { excesses[set] = excess }
        guard excess > 0, excesses[set] ?? 0 > 0 else { return }
        result.drift += excess
        log.warning("A set holds elements that nobody decided, writing it anew", metadata: ["set": "\(set.name)"])
        let fill = KernelChange.Fill(set: set, hosts: hosts(set, origin), flushes: true)
        try commit(KernelChange(fills: [fill]))
        result.repaired += excess
    }

    private func hosts(_ set: KernelSet, _ origin: String) -> [UInt128: Deadline] {
        desired.sets[SetID(family: set.family, origin: origins.number(name: origin))]?.hosts ?? [:]
    }

    /// What has to change for all, and how many of them are there.
    private func lookUp(
        _ hosts: [UInt128: Deadline], in set: KernelSet
    ) throws(NetlinkError) -> (plan: ElementPlan, found: Int) {
        var (plan, found) = (ElementPlan(), 0)
        var rest = hosts.keys.makeIterator()
        while true {
            var keys: [UInt128] = []
            while keys.count < Self.keysPerSlice, let key = rest.next() { keys.append(key) }
            guard !keys.isEmpty else { return (plan, found) }
            let (part, there) = try lookUp(keys[...], of: hosts, in: set)
            plan.remove += part.remove
            plan.add += part.add
            found += there
        }
    }

    /// What has to change for some.
    private func lookUp(
        _ keys: ArraySlice<UInt128>, of hosts: [UInt128: Deadline], in set: KernelSet
    ) throws(NetlinkError) -> (plan: ElementPlan, found: Int) {
        let now = MonotonicClock.now()
        let live = keys.filter { (hosts[$0] ?? 0) > now }
        let ends = try filter.deadlines(of: live, in: set)
        let closeness = closeness(MonotonicClock.now())
        var (plan, found) = (ElementPlan(), 0)
        for (key, end) in zip(live, ends) {
            guard let deadline = hosts[key] else { continue }
            if end != nil { found += 1 }
            if let end, closeness.isSame(end, deadline) { continue }
            if end != nil { plan.remove.append(AddressSpan(first: key, last: key)) }
            plan.add.append(Segment(key, key, until: deadline))
        }
        return (plan, found)
    }
}
