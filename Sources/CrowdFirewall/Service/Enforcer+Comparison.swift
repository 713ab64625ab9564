internal import CrowdCore
internal import Logging

/// Comparing the kernel with the desired state.
extension Enforcer {
    /// Repairs tables and rules, then the sets. Before the first complete list of decisions only the former.
    ///
    /// - Parameter isFirst: differences are what came and went while nobody looked, not drift.
    func converge(isFirst: Bool = false) -> Verification {
        var result = Verification()
        for family in families {
            guard let layout = layouts[family] else { continue }
            do {
                try repairStructure(layout, &result)
                if hasDecisions { try repairSets(family, &result) }
            } catch {
                result.drift += 1
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
                if hasDecisions { try inspectSets(layout, &result) }
            } catch {
                result.drift += 1
            }
        }
        return result
    }

    private func inspectSets(_ layout: TableLayout, _ result: inout Verification) throws(NetlinkError) {
        let now = MonotonicClock.now()
        for (id, bans) in desired.sets
        where id.family == layout.family && !layout.origins.contains(origins[id.origin].name) {
            result.decided += bans.count
            result.drift += bans.count
        }
        for name in layout.origins {
            let bans = desired.sets[SetID(family: layout.family, origin: origins.number(name: name))] ?? .init()
            for set in [layout.hosts(name), layout.ranges(name)] {
                let wanted =
                    set.isInterval
                    ? RangeCover.segments(bans.ranges, now: now).count : bans.hosts.count { $0.value > now }
                // A set that is gone has been counted, and what should be in it is not enforced.
                let actual = (try? filter.elements(of: set)) ?? []
                result.decided += wanted
                result.enforced += actual.count
                result.drift += plan(set, bans, actual).drift(beyond: MonotonicClock.now() + Self.tolerance)
            }
        }
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
        let isNew = Set(change.newOrigins.map(\.origin))
        guard let layout = layouts[family] else { return }
        for name in layout.origins {
            let bans = desired.sets[SetID(family: family, origin: origins.number(name: name))] ?? .init()
            for set in [layout.hosts(name), layout.ranges(name)] {
                let actual = isNew.contains(name) ? [] : try filter.elements(of: set)
                let plan = self.plan(set, bans, actual)
                result.decided += set.isInterval ? bans.ranges.count : bans.hosts.count
                result.enforced += actual.count
                result.drift += isNew.contains(name) ? 0 : plan.drift(beyond: MonotonicClock.now() + Self.tolerance)
                if !plan.isEmpty { change.plans.append((set, plan)) }
            }
        }
        try repair(change, &result)
    }

    private func plan(_ set: KernelSet, _ bans: DesiredState.Bans, _ actual: [Segment]) -> ElementPlan {
        let now = MonotonicClock.now()
        guard set.isInterval else {
            return ElementPlan.from(actual, to: bans.hosts, now: now, tolerance: Self.tolerance)
        }
        return ElementPlan.from(
            actual.filter { $0.deadline > now }, to: RangeCover.segments(bans.ranges, now: now),
            tolerance: Self.tolerance)
    }

    private func repair(_ change: KernelChange, _ result: inout Verification) throws(NetlinkError) {
        do {
            try commit(change)
            result.repaired += change.count
            result.enforced += change.plans.reduce(0) { $0 + $1.plan.add.count - $1.plan.remove.count }
        } catch {
            log.warning("The kernel refused a transaction, isolating", metadata: ["error": "\(error)"])
            var structure = change
            structure.plans = []
            try commit(structure)
            for (set, plan) in change.plans { isolate(plan, in: set, &result) }
        }
    }

    /// Halves a plan until what the kernel refuses is alone, and leaves that out. Removals go before additions.
    private func isolate(_ plan: ElementPlan, in set: KernelSet, _ result: inout Verification) {
        guard !plan.isEmpty else { return }
        do {
            try commit(KernelChange(plans: [(set, plan)]))
            result.repaired += plan.count
            result.enforced += plan.add.count - plan.remove.count
        } catch {
            guard plan.count > 1 else {
                // An element that is not there any more needs no removal.
                guard let refused = plan.add.first else { return }
                result.refused += 1
                log.error(
                    "The kernel refuses an element",
                    metadata: [
                        "set": "\(set.name)", "element": "\(refused.span.text(set.family))", "error": "\(error)",
                    ])
                return
            }
            for half in plan.halves { isolate(half, in: set, &result) }
        }
    }
}

extension ElementPlan {
    /// Elements that differ. What is missing but about to end has ended while we looked.
    fileprivate func drift(beyond horizon: Deadline) -> Int {
        let renewed = Set(add.map(\.span))
        return add.count { $0.deadline > horizon } + remove.count { !renewed.contains($0) }
    }

    /// Two smaller plans of more than one element: removals first; removal and addition of the same element only part
    /// when nothing else is left to part.
    fileprivate var halves: [ElementPlan] {
        if remove.isEmpty {
            let middle = add.count / 2
            return [ElementPlan(add: Array(add[..<middle])), ElementPlan(add: Array(add[middle...]))]
        }
        if add.isEmpty {
            let middle = remove.count / 2
            return [ElementPlan(remove: Array(remove[..<middle])), ElementPlan(remove: Array(remove[middle...]))]
        }
        return [ElementPlan(remove: remove), ElementPlan(add: add)]
    }
}
