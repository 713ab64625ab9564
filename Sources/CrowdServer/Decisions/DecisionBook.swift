import CrowdCore
import CrowdStore

/// All decisions a bouncer may hear of, in memory, with an ordered log of what changed.
///
/// (1) Every active decision of the database is here, and what ended lately (`retention`), so that bouncers hear of it.
/// (2) Each change gives its decision the next number of the log; a bouncer's cursor is the last number it has seen.
///     A decision's earlier numbers are void: a delta reads each changed decision once, in its present state.
/// (3) Decisions with the same value, type and scope are twins. Of the twins that pass a filter, the one that lasts
///     longest speaks for all: it is what `new` shows, and `deleted` is said only when none is left. So a bouncer that
///     follows its deltas always holds exactly the active values of its filter.
/// (4) Time is the caller's. `advance` must be called with the present before anything is asked.
/// (5) Costs: add, end, expire O(log n); delta O(changes since the cursor); look-up by address O(prefix lengths in use).
///     Never more for a single one: nothing that grows is moved as a whole, and what is forgotten is so in portions.
///
///     add ──► active ──advance──► expired ──┐
///               │ end                       ├─► free (trim, or remove)
///               └──────────────► ended ─────┘
struct DecisionBook: Sendable {
    /// How much of the past is kept.
    struct Retention: Sendable {
        /// Changes kept for cursors; older cursors are answered from the times in the decisions.
        var changes = 131_072
        /// Ended decisions kept for the `deleted` list of bouncers that start.
        var ended = 65_536
        /// What is younger than this is kept whatever its number, so that a mass deletion reaches every bouncer that
        /// polls at all.
        var seconds: Int64 = 600
    }

    var entries = PagedArray<DecisionEntry>()
    var kinds = DecisionKinds()
    private var retention: Retention
    private var freeSlots = PagedArray<Int32>()
    private var byID = SlotTable()
    private var byTwins = SlotTable()
    private var networks = NetworkIndex()
    private var expiry = ExpiryHeap()
    private(set) var log = ChangeLog()
    /// Ended decisions, oldest first, with the number of their end.
    private var ended = PagedArray<(slot: Int32, change: UInt64)>()
    /// Where the log stood at past moments, at most one a minute: what lies before an old enough mark may go.
    private var marks: [(second: Int64, change: UInt64)] = []
    private(set) var activeCount = 0
    /// Sum of the ids of active decisions, wrapping: compared with the database's.
    private(set) var activeIDSum: Int64 = 0

    init(retention: Retention = Retention()) { self.retention = retention }

    /// The number of the newest change.
    var lastChange: UInt64 { log.last }

    // MARK: Changes

    /// Takes in a decision; one that is known is brought to the given end.
    mutating func add(_ record: DecisionRecord, now: Timestamp) {
        if let slot = slot(of: record.id) { return update(slot, until: record.until.nanoseconds, now: now) }
        let kind = kinds.use(
            DecisionKind(origin: record.origin, type: record.type, scope: record.scope, scenario: record.scenario))
        let slot = takeSlot()
        let entry = DecisionEntry(record, kind: kind, slot: slot)
        if slot == entries.count { entries.append(entry) } else { entries[slot] = entry }
        byID.insert(slot, hash: Self.hash(entry.id))
        joinTwins(slot)
        joinNetwork(slot)
        begin(slot, now: now)
    }

    /// Ends a decision before its time. False when it is not here.
    @discardableResult
    mutating func end(id: Int64, now: Timestamp) -> Bool {
        guard let slot = slot(of: id) else { return false }
        entries[slot].until = min(entries[slot].until, now.nanoseconds)
        finish(slot, as: .ended)
        return true
    }

    /// Turns what has run out by now into expired decisions.
    ///
    /// - Parameter limit: how many ends are looked at; a list that was imported at once ends at once.
    /// - Returns: whether that were all.
    @discardableResult
    mutating func advance(to now: Timestamp, atMost limit: Int = .max) -> Bool {
        var looked = 0
        while looked < limit, let due = expiry.pop(until: now.nanoseconds) {
            looked += 1
            let slot = Int(due.slot)
            guard entries[slot].state == .active, entries[slot].until == due.until else { continue }
            finish(slot, as: .expired)
        }
        if now.seconds - (marks.last?.second ?? .min / 2) >= min(60, retention.seconds) {
            marks.append((now.seconds, lastChange))
        }
        trim(now: now)
        return looked < limit
    }

    /// Whether `advance` would find nothing that has run out.
    func isAdvanced(to now: Timestamp) -> Bool { !expiry.hasDue(until: now.nanoseconds) }

    private mutating func update(_ slot: Int, until: Int64, now: Timestamp) {
        guard entries[slot].until != until else { return }
        let wasActive = entries[slot].state == .active
        entries[slot].until = until
        if until <= now.nanoseconds { return finish(slot, as: .ended) }
        if wasActive { countActive(slot, by: -1) }
        begin(slot, now: now)
    }

    private mutating func begin(_ slot: Int, now: Timestamp) {
        guard entries[slot].until > now.nanoseconds else {
            entries[slot].state = .expired
            note(slot)
            ended.append((Int32(slot), lastChange))
            return
        }
        entries[slot].state = .active
        countActive(slot, by: 1)
        expiry.push(until: entries[slot].until, slot: Int32(slot))
        note(slot)
    }

    private mutating func finish(_ slot: Int, as state: DecisionEntry.State) {
        if entries[slot].state == .active { countActive(slot, by: -1) }
        entries[slot].state = state
        note(slot)
        ended.append((Int32(slot), lastChange))
    }

    private mutating func countActive(_ slot: Int, by change: Int) {
        activeCount += change
        activeIDSum &+= change > 0 ? entries[slot].id : -entries[slot].id
        kinds.countActive(entries[slot].kind, by: change)
    }

    private mutating func note(_ slot: Int) {
        log.append(slot, kind: entries[slot].kind)
        entries[slot].change = lastChange
    }

    // MARK: Forgetting

    /// Forgets the oldest changes and ended decisions beyond what is kept.
    ///
    /// - Parameter limit: how many decisions at most: with every step of time some, and more when somebody has the time for it.
    /// - Returns: whether that were all.
    @discardableResult
    mutating func trim(now: Timestamp, atMost limit: Int = 64) -> Bool {
        if log.count > retention.changes * 2,
            let mark = marks.last(where: { now.seconds - $0.second >= retention.seconds })
        {
            let old = mark.change >= log.first ? Int(mark.change - log.first + 1) : 0
            log.removeFirst(min(old, log.count - retention.changes))
            let first = log.first
            marks.removeAll { $0.change < first }
        }
        for _ in 0..<limit {
            guard ended.count > retention.ended, let (slot, change) = ended.first, change < log.first else {
                return true
            }
            ended.removeFirst(1)
            if entries[Int(slot)].state != .active, entries[Int(slot)].change == change { release(Int(slot)) }
        }
        return false
    }

    private mutating func release(_ slot: Int) {
        let entry = entries[slot]
        byID.remove(slot, hash: Self.hash(entry.id))
        leaveTwins(slot)
        leaveNetwork(slot)
        kinds.release(entry.kind)
        entries[slot].state = .free
        entries[slot].value = ""
        freeSlots.append(Int32(slot))
    }

    private mutating func takeSlot() -> Int { freeSlots.popLast().map { Int($0) } ?? entries.count }

    // MARK: Indexes

    func isActive(_ id: Int64) -> Bool { slot(of: id).map { entries[$0].state == .active } ?? false }

    func slot(of id: Int64) -> Int? { byID.find(hash: Self.hash(id)) { entries[$0].id == id } }

    /// Any decision of the twins with that value, type and scope.
    private func anyTwin(of entry: DecisionEntry) -> Int? {
        let kind = kinds[entry.kind].kind
        return byTwins.find(hash: twinHash(entry)) { slot in
            let other = entries[slot]
            let otherKind = kinds[other.kind].kind
            return other.value == entry.value && otherKind.type == kind.type && otherKind.scope == kind.scope
        }
    }

    private func twinHash(_ entry: DecisionEntry) -> UInt32 {
        var hasher = Hasher()
        let kind = kinds[entry.kind].kind
        hasher.combine(entry.value)
        hasher.combine(kind.type)
        hasher.combine(kind.scope)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    static func hash(_ id: Int64) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(bitPattern: id) &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }

    private mutating func joinTwins(_ slot: Int) {
        guard let twin = anyTwin(of: entries[slot]) else {
            return byTwins.insert(slot, hash: twinHash(entries[slot]))
        }
        entries.join(slot, to: twin, \.twins)
    }

    private mutating func leaveTwins(_ slot: Int) {
        let hash = twinHash(entries[slot])
        guard let other = entries.leave(slot, \.twins) else { return byTwins.remove(slot, hash: hash) }
        byTwins.replace(slot, with: other, hash: hash)
    }

    private mutating func joinNetwork(_ slot: Int) {
        guard let range = entries[slot].range else { return }
        guard let neighbour = networks.find(range, in: entries) else { return networks.insert(slot, range) }
        entries.join(slot, to: neighbour, \.neighbours)
    }

    private mutating func leaveNetwork(_ slot: Int) {
        guard let range = entries[slot].range else { return }
        guard let other = entries.leave(slot, \.neighbours) else { return networks.remove(slot, range) }
        networks.replace(slot, with: other, range)
    }

    /// One slot of each network that covers the range; their rings hold the rest.
    func networksCovering(_ range: IPRange) -> [Int] { networks.covering(range, in: entries) }
}
