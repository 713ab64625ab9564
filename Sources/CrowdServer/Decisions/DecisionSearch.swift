import CrowdCore

/// `GET /v1/decisions`: the active decisions that match, by id.
struct DecisionSearch: Sendable {
    var filter = DecisionFilter()
    /// A negative one is none, as SQLite has it.
    var limit: Int?
    var offset = 0
    var afterID: Int64 = 0

    /// Whether the index answers it.
    var isLookUp: Bool { filter.range != nil && filter.contains }
}

extension DecisionBook {
    /// Answers a search for what covers an address from the index; nil when the search needs a pass over everything.
    func lookUp(_ search: DecisionSearch) -> [Int]? {
        guard search.isLookUp, let range = search.filter.range else { return nil }
        let found = slotsCovering(range).filter { slot in
            entries[slot].state == .active && search.filter.acceptsItself(entries[slot])
                && search.filter.accepts(kinds[entries[slot].kind])
        }
        return search.page(found, entries)
    }

    /// Every decision, active or ended, whose network covers the range.
    func slotsCovering(_ range: IPRange) -> [Int] {
        var slots: [Int] = []
        for first in networksCovering(range) {
            var slot = first
            repeat {
                slots.append(slot)
                slot = Int(entries[slot].neighbours.next)
            } while slot != first
        }
        return slots
    }
}

extension DecisionView {
    /// One pass over all decisions.
    func find(_ search: DecisionSearch) -> [Int] {
        var teller = TwinTeller(self, search.filter)
        var found: [Int] = []
        for slot in 0..<entries.count where entries[slot].state == .active && teller.accepts(slot) {
            found.append(slot)
        }
        return search.page(found, entries)
    }
}

extension DecisionSearch {
    fileprivate func page(_ slots: [Int], _ entries: PagedArray<DecisionEntry>) -> [Int] {
        var slots = afterID > 0 ? slots.filter { entries[$0].id > afterID } : slots
        slots.sort { entries[$0].id < entries[$1].id }
        if offset > 0 { slots.removeFirst(min(offset, slots.count)) }
        if let limit, limit >= 0 { slots = Array(slots.prefix(limit)) }
        return slots
    }
}
