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

/// A snapshot of the book, to be read without holding anybody up.
struct DecisionView: Sendable {
    let entries: PagedArray<DecisionEntry>
    let kinds: PagedArray<DecisionKinds.Entry>
    let log: ChangeLog
    let now: Timestamp

    /// Costs next to nothing; the book copies a page when it changes one that a snapshot has too.
    init(_ book: DecisionBook, now: Timestamp) {
        entries = book.entries
        kinds = book.kinds.entries
        log = book.log
        self.now = now
    }

    var lastChange: UInt64 { log.last }
}

extension DecisionBook {
    /// Changes after `cursor` as the filter sees them. The book must have been advanced to the present.
    func delta(after cursor: UInt64, _ filter: DecisionFilter) -> StreamDelta {
        guard cursor < lastChange else { return StreamDelta() }
        return DecisionView(self, now: Timestamp(nanoseconds: 0)).delta(after: cursor, filter)
    }

    /// Whether the log still holds everything after the cursor.
    func remembers(_ cursor: UInt64) -> Bool { cursor + 1 >= log.first && cursor <= lastChange }
}

extension DecisionView {
    /// How far behind a remembered time changes are repeated: creation times are taken before the commit, and another
    /// process' clock steps too. Saying something twice is harmless, leaving it out is not.
    static let slack: Int64 = 60_000_000_000

    /// Changes after `cursor` as the filter sees them.
    func delta(after cursor: UInt64, _ filter: DecisionFilter) -> StreamDelta {
        delta(after: cursor, filter, atMost: .max) ?? StreamDelta()
    }

    /// The same; nil when more than so many changes have to be looked at.
    func delta(after cursor: UInt64, _ filter: DecisionFilter, atMost limit: Int) -> StreamDelta? {
        var delta = StreamDelta()
        var teller = TwinTeller(self, filter)
        let stretches = log.stretches(after: cursor) { teller.accepts(kind: $0) }
        guard stretches.reduce(0, { $0 + $1.count }) <= limit else { return nil }
        for index in stretches.joined() {
            let slot = log[index]
            // Of several changes of one decision the last counts.
            guard entries[slot].change == UInt64(index) + 1, teller.accepts(slot) else { continue }
            teller.tell(slot, into: &delta) { $0.change > cursor }
        }
        return delta
    }

    /// Everything that passes the filter and began or ended after the cursor's time; all of it for `.start`.
    func delta(from cursor: StreamCursor, _ filter: DecisionFilter) -> StreamDelta {
        let limit: Int64
        switch cursor {
        case .time(let nanoseconds): limit = nanoseconds - Self.slack
        case .start, .change: limit = .min
        }
        var delta = StreamDelta()
        var teller = TwinTeller(self, filter)
        let isRecent: (DecisionEntry) -> Bool = { entry in
            entry.state == .active ? entry.createdAt > limit : entry.until > limit
        }
        for slot in 0..<entries.count {
            LongWork.pause(after: slot, every: 4_096)
            guard entries[slot].state != .free, teller.accepts(slot), isRecent(entries[slot]) else { continue }
            teller.tell(slot, into: &delta, isRecent)
        }
        return delta
    }
}

/// Decides which of several twins speaks (rule 3 of `DecisionBook`).
struct TwinTeller {
    private let entries: PagedArray<DecisionEntry>
    private let kinds: PagedArray<DecisionKinds.Entry>
    private let filter: DecisionFilter
    /// Per kind: 0 not looked at, 1 refused, 2 accepted.
    private var verdicts: [UInt8]
    /// Those of several twins that changed and are spoken for.
    private var told: Set<Int32> = []

    init(_ view: DecisionView, _ filter: DecisionFilter) {
        (entries, kinds) = (view.entries, view.kinds)
        self.filter = filter
        verdicts = [UInt8](repeating: 0, count: kinds.count)
    }

    mutating func accepts(_ slot: Int) -> Bool {
        accepts(kind: entries[slot].kind) && filter.acceptsItself(entries[slot])
    }

    mutating func accepts(kind: UInt32) -> Bool {
        let number = Int(kind)
        if verdicts[number] == 0 { verdicts[number] = filter.accepts(kinds[number]) ? 2 : 1 }
        return verdicts[number] == 2
    }

    /// Says for the twins of `slot` what has to be said. `isRecent` tells which of them changed since the cursor.
    mutating func tell(_ slot: Int, into delta: inout StreamDelta, _ isRecent: (DecisionEntry) -> Bool) {
        let entry = entries[slot]
        if !filter.deduplicates || Int(entry.twins.next) == slot {
            if entry.state == .active { delta.new.append(Int32(slot)) } else { delta.deleted.append(Int32(slot)) }
            return
        }
        guard !told.contains(Int32(slot)) else { return }
        let speaker = self.speaker(among: slot, isRecent)
        if entries[speaker.slot].state != .active {
            delta.deleted.append(Int32(speaker.slot))
        } else if speaker.isNew {
            delta.new.append(Int32(speaker.slot))
        }
    }

    private struct Speaker {
        var slot: Int
        /// It changed itself, or a twin was ended before its time, which may have been the longest.
        var isNew: Bool
    }

    /// The active twin that lasts longest, the lower id on a tie; without an active one, the one that ended last. An address
    /// may have thousands of twins: they are gone through once for all of them that changed.
    private mutating func speaker(among slot: Int, _ isRecent: (DecisionEntry) -> Bool) -> Speaker {
        var best = slot
        var followsEnded = false
        var next = slot
        repeat {
            if accepts(next) {
                if isRecent(entries[next]) {
                    told.insert(Int32(next))
                    if entries[next].state == .ended { followsEnded = true }
                }
                if isBefore(best, next) { best = next }
            }
            next = Int(entries[next].twins.next)
        } while next != slot
        return Speaker(slot: best, isNew: followsEnded || isRecent(entries[best]))
    }

    private func isBefore(_ slot: Int, _ other: Int) -> Bool {
        let (left, right) = (entries[slot], entries[other])
        let (leftActive, rightActive) = (left.state == .active, right.state == .active)
        if leftActive != rightActive { return rightActive }
        return left.until == right.until ? left.id > right.id : left.until < right.until
    }
}
