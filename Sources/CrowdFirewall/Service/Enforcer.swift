internal import CrowdCore
internal import Logging

/// Holds the desired state and makes the kernel agree with it.
///
/// (1) The kernel is changed by difference only; what it has at start is kept until a snapshot or the first complete
///     answer of the Local API says otherwise, so no ban lapses over a restart.
/// (2) A change that the kernel refuses leads to a comparison in full; what is refused even alone is logged, counted
///     and left out, so that one bad element never holds up the others.
/// (3) `verify` may be called at any time; between two of them a change of the ruleset by somebody else shows in
///     `isTouched` for the price of one small message.
actor Enforcer {
    /// Deadlines this close count as equal: the Local API rounds to seconds.
    static let tolerance: Deadline = 3000

    let config: FirewallConfig
    let log: Logger
    let filter: any PacketFilter
    var desired = DesiredState()
    var allowed = Allowances()
    var origins: OriginTable
    var layouts: [Family: TableLayout] = [:]
    /// Rules as they were right after we wrote them.
    var written: [Family: [String: [KernelTable.Rule]]] = [:]
    var lastGeneration: UInt32?
    /// Of the last comparison, and what was changed since; what ended since is still in both.
    var figures = Verification()
    /// Of many ranges, until they change, and since when.
    var covers: [SetID: (segments: [Segment], revision: Int)] = [:]
    /// Elements of large sets that nobody decided, as of the last sweep.
    var excesses: [KernelSet: Int] = [:]
    /// True once a complete list was taken: before that nothing in the kernel is superfluous.
    var hasDecisions: Bool { completeLists > 0 }
    /// How many complete lists were taken.
    private(set) var completeLists = 0
    /// Moves with every change of the desired state.
    private(set) var revision = 0

    init(_ config: FirewallConfig, filter: sending any PacketFilter, log: Logger) {
        self.config = config
        self.filter = filter
        self.log = log
        origins = Self.origins(config)
        for family in Family.allCases where config.tables(family).enabled {
            layouts[family] = TableLayout(config, family)
        }
    }

    nonisolated var families: [Family] { Family.allCases.filter { config.tables($0).enabled } }

    private static func origins(_ config: FirewallConfig) -> OriginTable {
        let naming = TableLayout(config, .v4).naming
        return OriginTable(longestName: naming.longest(prefixes: [config.v4.setPrefix, config.v6.setPrefix]))
    }

    /// Makes tables and rules, adopting the sets that are there.
    func start() throws(NetlinkError) {
        allowed.replace(.configuration, with: config.allowlist)
        for family in families {
            guard var layout = layouts[family] else { continue }
            layout = try filter.located(layout)
            let actual = try filter.table(layout)
            for name in actual.sets.keys.sorted() where !layout.isSetOnly {
                guard let origin = layout.naming.origin(of: name, prefix: layout.setPrefix) else { continue }
                _ = origins.number(name: origin)
                _ = layout.insert(origin: origin)
            }
            layouts[family] = layout
            try build(layout, over: actual)
            if !layout.origins.isEmpty {
                log.info(
                    "Adopted the sets found in the kernel; they stay in force",
                    metadata: ["table": "\(layout.table)", "origins": "\(layout.origins.joined(separator: ","))"])
            }
        }
        _ = adopt()
    }

    /// Takes what was in force before this process.
    func take(adopted state: DesiredState) {
        desired = state
        covers = [:]
    }

    /// Makes the tables; those that were not there before are removed again.
    func test() throws(NetlinkError) {
        for family in families {
            guard let layout = layouts[family] else { continue }
            let found = try filter.located(layout)
            let actual = try filter.table(found)
            try filter.build(found, over: actual)
            if !actual.exists { try filter.remove(found) }
        }
    }

    /// Takes the complete list.
    func replace(with batch: DecisionCollector.Batch, _ origins: OriginTable) -> Verification {
        self.origins = origins
        desired = batch.state
        covers = [:]
        completeLists += 1
        revision += 1
        var result = converge(isFirst: true)
        result.drift = 0
        return result
    }

    /// Takes a delta.
    func apply(_ batch: DecisionCollector.Batch, _ origins: OriginTable) {
        self.origins = origins
        revision += 1
        for ban in batch.deleted where !ban.span.isSingle { covers[ban.set] = nil }
        for ban in batch.new where !ban.span.isSingle { covers[ban.set] = nil }
        var kernel = KernelChange()
        for (family, layout) in layouts where layout.isSetOnly {
            let bans = (batch.deleted + batch.new).filter { $0.set.family == family }
            guard !bans.isEmpty else { continue }
            kernel.plans.append((layout.single, planForSingle(layout, touched: bans) { take(batch, family) }))
        }
        let changes = takeSplit(batch)
        for (id, change) in changes.sorted(by: { $0.key.origin < $1.key.origin }) {
            guard let (hosts, ranges) = sets(id, addingTo: &kernel) else { continue }
            if !change.hosts.isEmpty { kernel.plans.append((hosts, change.hosts)) }
            if !change.ranges.isEmpty { kernel.plans.append((ranges, change.ranges)) }
        }
        commitOrConverge(kernel)
    }

    /// Takes part of a delta, where its effect on the kernel is computed elsewhere.
    private func take(_ batch: DecisionCollector.Batch, _ family: Family) {
        _ = desired.apply(
            deleted: batch.deleted.filter { $0.set.family == family },
            new: batch.new.filter { $0.set.family == family }, now: MonotonicClock.now())
    }

    private func takeSplit(_ batch: DecisionCollector.Batch) -> [SetID: DesiredState.Change] {
        let split = layouts.filter { !$0.value.isSetOnly }.keys
        return desired.apply(
            deleted: batch.deleted.filter { split.contains($0.set.family) },
            new: batch.new.filter { split.contains($0.set.family) }, now: MonotonicClock.now())
    }

    func commitOrConverge(_ change: KernelChange) {
        guard !change.isEmpty else { return }
        do {
            try commit(change)
            for (set, plan) in change.plans where !set.isProtected {
                figures.decided += plan.add.count - plan.remove.count
                figures.enforced += plan.add.count - plan.remove.count
            }
        } catch {
            log.warning("The kernel did not take a change, comparing everything", metadata: ["error": "\(error)"])
            _ = converge()
        }
    }

    /// Addresses that are never dropped, whatever is decided; the others that `source` named before are no longer.
    func allow(_ entries: [Allowances.Entry], from source: Allowances.Source) {
        guard allowed.replace(source, with: entries) else { return }
        revision += 1
        _ = converge(isFirst: true)
    }

    /// Bans that would end soon end later: for a Local API that cannot renew them.
    ///
    /// - Returns: how many.
    func extend(endingBefore soon: Deadline, to horizon: Deadline) -> Int {
        let ending = desired.ending(after: MonotonicClock.now(), before: soon)
        guard !ending.isEmpty else { return 0 }
        var batch = DecisionCollector.Batch()
        batch.new = ending.map { Ban(set: $0.set, span: $0.span, deadline: horizon) }
        apply(batch, origins)
        return ending.count
    }

    /// Whether somebody else changed the ruleset since our last look. One small message.
    func isTouched() -> Bool { (try? filter.generation()) != lastGeneration }

    /// What is left when the bouncer ends, as `on_stop` says.
    func stop() {
        guard config.onStop == .clean else { return }
        for layout in layouts.values {
            do { try filter.remove(layout) } catch {
                log.error("Table was not removed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Those of some addresses that are banned now.
    func banned(among addresses: Set<UInt128>, _ family: Family) -> Set<UInt128> {
        let now = MonotonicClock.now()
        let bans = desired.sets.filter { $0.key.family == family }.values
        let ranges = bans.map { RangeCover.segments($0.ranges, now: now) }
        let free = allowed.cover(family, now: now)
        return addresses.filter { address in
            let isBanned =
                bans.contains { ($0.hosts[address] ?? 0) > now }
                || ranges.contains { RangeCover.contains($0, address) }
            return isBanned && !RangeCover.contains(free, address)
        }
    }

    /// Decided addresses and ranges per origin and family.
    func decided() -> [(origin: String, family: Family, count: Int)] {
        desired.sets.filter { $0.value.count > 0 }.map { (origins[$0.key.origin].label, $0.key.family, $0.value.count) }
    }

    /// The kernel sets of a set of bans; new ones go into `change`.
    func sets(_ id: SetID, addingTo change: inout KernelChange) -> (hosts: KernelSet, ranges: KernelSet)? {
        let name = origins[id.origin].name
        guard layouts[id.family]?.isSetOnly == false else { return nil }
        let isNew = layouts[id.family]?.insert(origin: name) ?? false
        guard let layout = layouts[id.family] else { return nil }
        if isNew { change.newOrigins.append((layout, name)) }
        return (layout.hosts(name), layout.ranges(name))
    }

    func commit(_ change: KernelChange) throws(NetlinkError) {
        guard !change.isEmpty else { return }
        try filter.commit(change)
        if !change.newOrigins.isEmpty { try remember() }
        lastGeneration = try? filter.generation()
    }

    func build(_ layout: TableLayout, over actual: KernelTable) throws(NetlinkError) {
        try filter.build(layout, over: actual)
        try remember()
        lastGeneration = try? filter.generation()
    }

    private func remember() throws(NetlinkError) {
        for (family, layout) in layouts { written[family] = try filter.table(layout).chains.mapValues(\.rules) }
    }
}
