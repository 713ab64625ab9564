import CrowdCore

/// How far a bouncer has followed.
enum StreamCursor: Hashable, Sendable {
    /// `startup=true`, or a bouncer that never pulled: everything.
    case start
    /// It has seen the log up to this number, in this process.
    case change(UInt64)
    /// It was served until this time, by another process or before the log's beginning.
    case time(nanoseconds: Int64)
}

/// What one stream request is to be told: slots in a snapshot.
struct StreamDelta: Sendable {
    var new: [Int32] = []
    var deleted: [Int32] = []

    var isEmpty: Bool { new.isEmpty && deleted.isEmpty }
    var count: Int { new.count + deleted.count }
}

/// The end of the log: the slots that changed, and the number of the first change.
struct LoggedChanges: Sendable {
    var first: UInt64
    var slots: [Int32]
}

/// A snapshot of the book, to be read without holding anybody up.
struct DecisionView: Sendable {
    let entries: PagedArray<DecisionEntry>
    let kinds: DecisionKinds
    let now: Timestamp
    let lastChange: UInt64

    init(_ book: DecisionBook, now: Timestamp) {
        entries = book.entries
        kinds = book.kinds
        self.now = now
        lastChange = book.lastChange
    }
}

extension DecisionBook {
    /// Changes after `cursor` as the filter sees them. The book must have been advanced to the present.
    func delta(after cursor: UInt64, _ filter: DecisionFilter) -> StreamDelta {
        guard cursor < lastChange else { return StreamDelta() }
        var teller = TwinTeller(entries: entries, kinds: kinds, filter: filter)
        return teller.delta(after: cursor, changes(after: cursor))
    }

    /// What the log says after a cursor: a copy of its end.
    func changes(after cursor: UInt64) -> LoggedChanges {
        let first = max(cursor + 1, logStart)
        return LoggedChanges(first: first, slots: Array(log[Int(min(first, lastChange + 1) - logStart)...]))
    }

    /// Whether the log still holds everything after the cursor.
    func remembers(_ cursor: UInt64) -> Bool { cursor + 1 >= logStart && cursor <= lastChange }
}

extension DecisionView {
    /// How far behind a remembered time changes are repeated: creation times are taken before the commit, and another
    /// process' clock steps too. Saying something twice is harmless, leaving it out is not.
    static let slack: Int64 = 60_000_000_000

    /// As the book's, from changes that were taken together with this snapshot.
    func delta(after cursor: UInt64, _ changes: LoggedChanges, _ filter: DecisionFilter) -> StreamDelta {
        var teller = TwinTeller(entries: entries, kinds: kinds, filter: filter)
        return teller.delta(after: cursor, changes)
    }

    /// Everything that passes the filter and began or ended after the cursor's time; all of it for `.start`.
    func delta(from cursor: StreamCursor, _ filter: DecisionFilter) -> StreamDelta {
        let limit: Int64
        switch cursor {
        case .time(let nanoseconds): limit = nanoseconds - Self.slack
        case .start, .change: limit = .min
        }
        var delta = StreamDelta()
        var teller = TwinTeller(entries: entries, kinds: kinds, filter: filter)
        let isRecent: (DecisionEntry) -> Bool = { entry in
            entry.state == .active ? entry.createdAt > limit : entry.until > limit
        }
        for slot in 0..<entries.count {
            guard entries[slot].state != .free, teller.accepts(slot), isRecent(entries[slot]) else { continue }
            teller.tell(slot, into: &delta, isRecent)
        }
        return delta
    }
}

/// Decides which of several twins speaks (rule 3 of `DecisionBook`).
struct TwinTeller {
    private let entries: PagedArray<DecisionEntry>
    private let kinds: DecisionKinds
    private let filter: DecisionFilter
    /// Per kind: 0 not looked at, 1 refused, 2 accepted.
    private var verdicts: [UInt8]
    /// Twins already spoken for, by the slot of the one that spoke.
    private var told: Set<Int> = []

    init(entries: PagedArray<DecisionEntry>, kinds: DecisionKinds, filter: DecisionFilter) {
        self.entries = entries
        self.kinds = kinds
        self.filter = filter
        verdicts = [UInt8](repeating: 0, count: kinds.entries.count)
    }

    mutating func delta(after cursor: UInt64, _ changes: LoggedChanges) -> StreamDelta {
        var delta = StreamDelta()
        var number = changes.first
        for slot in changes.slots.lazy.map({ Int($0) }) {
            defer { number += 1 }
            guard entries[slot].change == number, accepts(slot) else { continue }
            tell(slot, into: &delta) { $0.change > cursor }
        }
        return delta
    }

    mutating func accepts(_ slot: Int) -> Bool {
        let number = Int(entries[slot].kind)
        if verdicts[number] == 0 { verdicts[number] = filter.accepts(kinds.entries[number]) ? 2 : 1 }
        return verdicts[number] == 2 && filter.acceptsItself(entries[slot])
    }

    /// Says for the twins of `slot` what has to be said. `isRecent` tells which of them changed since the cursor.
    mutating func tell(_ slot: Int, into delta: inout StreamDelta, _ isRecent: (DecisionEntry) -> Bool) {
        let entry = entries[slot]
        if !filter.deduplicates || Int(entry.twin) == slot {
            if entry.state == .active { delta.new.append(Int32(slot)) } else { delta.deleted.append(Int32(slot)) }
            return
        }
        let speaker = self.speaker(among: slot)
        guard told.insert(speaker.slot).inserted else { return }
        if entries[speaker.slot].state != .active {
            delta.deleted.append(Int32(speaker.slot))
        } else if isRecent(entries[speaker.slot]) || speaker.followsEnded(isRecent, entries) {
            delta.new.append(Int32(speaker.slot))
        }
    }

    private struct Speaker {
        var slot: Int
        /// Twins that were ended before their time: one of them may have been the longest.
        var ended: [Int]

        func followsEnded(_ isRecent: (DecisionEntry) -> Bool, _ entries: PagedArray<DecisionEntry>) -> Bool {
            ended.contains { isRecent(entries[$0]) }
        }
    }

    /// The active twin that lasts longest, the lower id on a tie; without an active one, the one that ended last.
    private mutating func speaker(among slot: Int) -> Speaker {
        var best = slot
        var ended: [Int] = []
        var next = slot
        repeat {
            if accepts(next) {
                if entries[next].state == .ended { ended.append(next) }
                if isBefore(best, next) { best = next }
            }
            next = Int(entries[next].twin)
        } while next != slot
        return Speaker(slot: best, ended: ended)
    }

    private func isBefore(_ slot: Int, _ other: Int) -> Bool {
        let (left, right) = (entries[slot], entries[other])
        let (leftActive, rightActive) = (left.state == .active, right.state == .active)
        if leftActive != rightActive { return rightActive }
        return left.until == right.until ? left.id > right.id : left.until < right.until
    }
}
