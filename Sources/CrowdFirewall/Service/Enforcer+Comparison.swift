internal import CrowdCore
internal import Glibc
internal import Logging

/// Comparing the kernel with the desired state.
extension Enforcer {
    /// Repairs tables and rules, then the sets.
    ///
    /// - Parameters:
    ///   - isFirst: differences are what came and went while nobody looked, not drift.
    ///   - leavesLarge: sets too large to be read in one go are left out: `LargeSets` sees to them.
    func converge(isFirst: Bool = false, leavesLarge: Bool = false) -> Verification {
        var result = Verification()
        for family in families {
            guard let layout = layouts[family] else { continue }
            do {
                let table = try repairStructure(layout, &result)
                try repairSets(family, table, &result, isFirst: isFirst, leavesLarge: leavesLarge)
            } catch {
                result.drift += 1
                result.cause = "\(error)"
                log.error(
                    "The kernel could not be compared", metadata: ["table": "\(layout.table)", "error": "\(error)"])
            }
        }
        lastGeneration = try? filter.generation()
        if !leavesLarge { figures = result }
        if result.drift > 0 && !isFirst {
            log.warning(
                "The kernel differed from the decisions",
                metadata: [
                    "differences": "\(result.drift)", "repaired": "\(result.repaired)", "refused": "\(result.refused)",
                ])
        }
        return result
    }

    /// Compares like `converge`, but only looks, and leaves large sets out.
    func inspectSmall() -> Verification {
        var result = Verification()
        for family in families {
            guard let layout = layouts[family] else { continue }
            do {
                let table = try filter.table(layout)
                result.drift += faults(of: table, layout).count
                inspectSets(layout, table, &result)
            } catch {
                result.drift += 1
                result.cause = "\(error)"
            }
        }
        return result
    }

    private func inspectSets(_ layout: TableLayout, _ table: KernelTable, _ result: inout Verification) {
        let now = MonotonicClock.now()
        for (id, bans) in desired.sets where id.family == layout.family && !layout.isSetOnly {
            guard !layout.origins.contains(origins[id.origin].name) else { continue }
            result.decided += bans.count
            result.drift += bans.count
        }
        for (set, content) in contents(layout, now: now) where !isLarge(set, content, table) {
            // A set that is gone has been counted, and what should be in it is not enforced.
            let actual = (try? filter.elements(of: set)) ?? []
            count(content, actual, set.isProtected, &result)
            result.drift += drift(content, actual)
        }
        count(unholdable: layout, &result)
    }

    /// Elements of the set of allowlisted addresses are no decisions.
    private func count(
        _ content: SetContent, _ actual: [Segment], _ isProtected: Bool, _ result: inout Verification
    ) {
        guard !isProtected else { return }
        result.decided += content.count(now: MonotonicClock.now())
        result.enforced += actual.count
    }

    private func count(unholdable layout: TableLayout, _ result: inout Verification) {
        let count = unholdable(layout)
        result.decided += count
        result.refuse(count, "set \(layout.single.name) has no flag interval and holds no ranges")
    }

    private func drift(_ content: SetContent, _ actual: [Segment]) -> Int {
        let now = MonotonicClock.now()
        return content.plan(from: actual, now: now, closeness(now)).drift(beyond: now + Self.tolerance)
    }

    /// ipset's timeouts end after 24 days: a longer ban is renewed when half of them are over.
    func closeness(_ now: Deadline) -> Closeness {
        var closeness = Closeness(tolerance: Self.tolerance)
        closeness.soon = now + Self.tolerance
        if config.mode == .iptables || config.mode == .ipset {
            closeness.horizon = now + IpsetFilter.longestTimeout * 500
        }
        return closeness
    }

    /// What is there afterwards.
    private func repairStructure(
        _ layout: TableLayout, _ result: inout Verification
    ) throws(NetlinkError) -> KernelTable {
        let actual = try filter.table(layout)
        let faults = self.faults(of: actual, layout)
        guard !faults.isEmpty else { return actual }
        result.drift += faults.count
        log.warning(
            "Table was changed by somebody else, rebuilding it",
            metadata: ["table": "\(layout.table)", "found": "\(faults.joined(separator: "; "))"])
        try build(layout, over: actual)
        result.repaired += faults.count
        return try filter.table(layout)
    }

    /// What is wrong with a table, in words.
    private func faults(of actual: KernelTable, _ layout: TableLayout) -> [String] {
        guard actual.exists else { return ["table is gone"] }
        var faults: [String] = []
        for chain in layout.chains {
            guard let found = actual.chains[chain.name], chain.matches(chain.name, found) else {
                faults.append("chain \(chain.name) is gone")
                continue
            }
            let isAsWritten = written[layout.family]?[chain.name].map { $0 == found.rules } ?? true
            if found.rules.map(\.mark) != layout.rules.map(\.mark) || !isAsWritten {
                faults.append("rules of chain \(chain.name) changed")
            }
        }
        for set in layout.sets where !set.matches(actual.sets[set.name]) { faults.append("set \(set.name) is gone") }
        for counter in layout.counters where actual.counters[counter] == nil {
            faults.append("counter \(counter) is gone")
        }
        return faults
    }

    private func repairSets(
        _ family: Family, _ table: KernelTable, _ result: inout Verification, isFirst: Bool, leavesLarge: Bool
    ) throws(NetlinkError) {
        var change = KernelChange()
        for id in desired.sets.keys where id.family == family { _ = sets(id, addingTo: &change) }
        let isNew = Set(change.newOrigins.flatMap { [$0.layout.hosts($0.origin), $0.layout.ranges($0.origin)] })
        guard let layout = layouts[family] else { return }
        for (set, content) in contents(layout, now: MonotonicClock.now()) {
            if isNew.contains(set), content.count > Self.largeCover {
                change.fills.append(.init(set: set, content: content, flushes: false))
                result.decided += content.count
            } else if isLarge(set, content, table) {
                guard !leavesLarge else { continue }
                try compare(large: content, in: set, table.sets[set.name]?.count ?? 0, &change, &result)
            } else {
                let actual = isNew.contains(set) ? [] : try filter.elements(of: set)
                let plan = content.plan(from: actual, now: MonotonicClock.now(), closeness(MonotonicClock.now()))
                count(content, actual, set.isProtected, &result)
                result.drift += isNew.contains(set) ? 0 : plan.drift(beyond: MonotonicClock.now() + Self.tolerance)
                if !plan.isEmpty { change.plans.append((set, plan)) }
            }
        }
        try repair(change, &result)
        count(unholdable: layout, &result)
    }

    func repair(_ change: KernelChange, _ result: inout Verification) throws(NetlinkError) {
        do {
            try commit(change)
            for (set, plan) in change.plans { result.repair(plan, in: set) }
            for fill in change.fills {
                result.repaired += fill.content.count
                result.enforced += fill.content.count
            }
        } catch {
            log.warning("The kernel refused a transaction, isolating", metadata: ["error": "\(error)"])
            var structure = change
            (structure.plans, structure.fills) = ([], [])
            try commit(structure)
            let now = MonotonicClock.now()
            let fills = change.fills.map { ($0.set, $0.content.plan(from: [], now: now, .exact)) }
            for (set, plan) in change.plans + fills {
                var isFull = false
                isolate(plan, in: set, &result, &isFull)
            }
        }
    }

    /// Halves a plan until what the kernel refuses is alone, and leaves that out. Removals go before additions. Once the
    /// set is full, what else should be added is not tried.
    private func isolate(_ plan: ElementPlan, in set: KernelSet, _ result: inout Verification, _ isFull: inout Bool) {
        guard !plan.isEmpty else { return }
        if isFull && plan.remove.isEmpty { return result.refuse(plan.add.count, result.cause ?? "") }
        do {
            try commit(KernelChange(plans: [(set, plan)]))
            result.repair(plan, in: set)
        } catch {
            guard plan.count > 1 else {
                // An element that is not there any more needs no removal.
                guard let refused = plan.add.first else { return }
                isFull = isFull || error.isAboutRoom
                result.refuse(1, "set \(set.name): \(error)")
                return log.error(
                    "The kernel refuses an element",
                    metadata: [
                        "set": "\(set.name)", "element": "\(refused.span.text(set.family))", "error": "\(error)",
                    ])
            }
            for half in plan.halves { isolate(half, in: set, &result, &isFull) }
        }
    }
}

extension Verification {
    mutating func repair(_ plan: ElementPlan, in set: KernelSet) {
        repaired += plan.count
        guard !set.isProtected else { return }
        enforced += plan.add.count - plan.remove.count
    }
}

extension NetlinkError {
    /// A set's size or the kernel's memory is used up: trying others does not help.
    fileprivate var isAboutRoom: Bool { code == ENFILE || code == ENOMEM || code == ENOSPC }
}

extension ElementPlan {
    /// Elements that differ. What is missing but about to end has ended while we looked.
    func drift(beyond horizon: Deadline) -> Int {
        let renewed = Set(add.map(\.span))
        return add.count { $0.deadline > horizon } + remove.count { !renewed.contains($0) } - overdue
    }

    /// Smaller plans of one with more than one element: what overlaps stays together as long as there is anything else
    /// to part, then removals come first.
    fileprivate var halves: [ElementPlan] {
        let pieces = pieces(first: count / 2, then: count)
        return pieces.count > 1 ? pieces : [ElementPlan(remove: remove), ElementPlan(add: add)]
    }
}
