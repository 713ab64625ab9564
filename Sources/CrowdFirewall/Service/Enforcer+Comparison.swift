internal import CrowdCore
internal import Glibc
internal import Logging

/// Comparing the kernel with the desired state.
extension Enforcer {
    /// Repairs tables and rules, then the sets.
    ///
    /// - Parameter isFirst: differences are what came and went while nobody looked, not drift.
    func converge(isFirst: Bool = false) -> Verification {
        var result = Verification()
        for family in families {
            guard let layout = layouts[family] else { continue }
            do {
                try repairStructure(layout, &result)
                try repairSets(family, &result)
            } catch {
                result.drift += 1
                result.cause = "\(error)"
                log.error(
                    "The kernel could not be compared", metadata: ["table": "\(layout.table)", "error": "\(error)"])
            }
        }
        lastGeneration = try? filter.generation()
        if result.drift > 0 && !isFirst {
            log.warning(
                "The kernel differed from the decisions",
                metadata: [
                    "differences": "\(result.drift)", "repaired": "\(result.repaired)", "refused": "\(result.refused)",
                ])
        }
        return result
    }

    /// Compares like `converge`, but only looks.
    func inspect() -> Verification {
        var result = Verification()
        for family in families {
            guard let layout = layouts[family] else { continue }
            do {
                result.drift += faults(of: try filter.table(layout), layout).count
                inspectSets(layout, &result)
            } catch {
                result.drift += 1
                result.cause = "\(error)"
            }
        }
        return result
    }

    private func inspectSets(_ layout: TableLayout, _ result: inout Verification) {
        let now = MonotonicClock.now()
        for (id, bans) in desired.sets where id.family == layout.family && !layout.isSetOnly {
            guard !layout.origins.contains(origins[id.origin].name) else { continue }
            result.decided += bans.count
            result.drift += bans.count
        }
        for (set, content) in contents(layout, now: now) {
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
    private func closeness(_ now: Deadline) -> Closeness {
        var closeness = Closeness(tolerance: Self.tolerance)
        closeness.soon = now + Self.tolerance
        if config.mode == .iptables || config.mode == .ipset {
            closeness.horizon = now + IpsetFilter.longestTimeout * 500
        }
        return closeness
    }

    private func repairStructure(_ layout: TableLayout, _ result: inout Verification) throws(NetlinkError) {
        let actual = try filter.table(layout)
        let faults = self.faults(of: actual, layout)
        guard !faults.isEmpty else { return }
        result.drift += faults.count
        log.warning(
            "Table was changed by somebody else, rebuilding it",
            metadata: ["table": "\(layout.table)", "found": "\(faults.joined(separator: "; "))"])
        try build(layout, over: actual)
        result.repaired += faults.count
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

    private func repairSets(_ family: Family, _ result: inout Verification) throws(NetlinkError) {
        var change = KernelChange()
        for id in desired.sets.keys where id.family == family { _ = sets(id, addingTo: &change) }
        let isNew = Set(change.newOrigins.flatMap { [$0.layout.hosts($0.origin), $0.layout.ranges($0.origin)] })
        guard let layout = layouts[family] else { return }
        let now = MonotonicClock.now()
        for (set, content) in contents(layout, now: now) {
            let actual = isNew.contains(set) ? [] : try filter.elements(of: set)
            let plan = content.plan(from: actual, now: MonotonicClock.now(), closeness(MonotonicClock.now()))
            count(content, actual, set.isProtected, &result)
            result.drift += isNew.contains(set) ? 0 : plan.drift(beyond: MonotonicClock.now() + Self.tolerance)
            if !plan.isEmpty { change.plans.append((set, plan)) }
        }
        try repair(change, &result)
        count(unholdable: layout, &result)
    }

    private func repair(_ change: KernelChange, _ result: inout Verification) throws(NetlinkError) {
        do {
            try commit(change)
            for (set, plan) in change.plans { result.repair(plan, in: set) }
        } catch {
            log.warning("The kernel refused a transaction, isolating", metadata: ["error": "\(error)"])
            var structure = change
            structure.plans = []
            try commit(structure)
            for (set, plan) in change.plans {
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
    fileprivate mutating func repair(_ plan: ElementPlan, in set: KernelSet) {
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
    fileprivate func drift(beyond horizon: Deadline) -> Int {
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
