import CrowdCore
import CrowdStore
import Synchronization

/// The book behind a lock, the requests that wait for its next change, and answers that several may share.
///
/// The lock is held for microseconds: long lists are made from snapshots, many changes in steps. Changes come from the
/// store's writer thread, in commit order.
final class DecisionMemory: Sendable {
    private struct State {
        var book: DecisionBook
        /// Few filters are in use, however many wait.
        var waiters: [DecisionFilter: [Waiter]] = [:]
        var shared: [SharedKey: SharedAnswer] = [:]
    }

    private struct Waiter {
        var deadline: Int64
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct SharedKey: Hashable {
        var cursor: StreamCursor
        var filter: DecisionFilter
        var lastChange: UInt64
        var second: Int64
    }

    /// Changes made without letting others in between: whoever waits for the lock is an event loop with polls behind it.
    private static let step = 32
    /// Ends looked at without letting others in between, and changes after which held requests are answered.
    private static let stride = 512
    /// Changes from which a delta is made from a snapshot outside the lock,
    private static let shortDelta: UInt64 = 100
    /// and when so many have to be looked at, not on a connection's event loop either.
    private static let longDelta = 4_000

    private let state: Mutex<State>

    init(retention: DecisionBook.Retention = .init()) {
        state = Mutex(State(book: DecisionBook(retention: retention)))
    }

    // MARK: Changes

    func add(_ records: [DecisionRecord], now: Timestamp) {
        changeEach(records, now: now) { book, record in book.add(record, now: now) }
    }

    func end(_ ids: [Int64], now: Timestamp) {
        changeEach(ids, now: now) { book, id in book.end(id: id, now: now) }
    }

    /// Takes note that decisions are no longer in the database: those that were active have ended, of the others everybody
    /// has heard already.
    func forget(_ ids: [Int64], now: Timestamp) {
        changeEach(ids, now: now) { book, id in if book.isActive(id) { book.end(id: id, now: now) } }
    }

    private func changeEach<Item>(_ items: [Item], now: Timestamp, _ body: (inout DecisionBook, Item) -> Void) {
        var left = items[...]
        while !left.isEmpty {
            advance(to: now)
            let before = state.withLock { $0.book.lastChange }
            var some = left.prefix(Self.stride)
            left = left.dropFirst(some.count)
            while !some.isEmpty {
                state.withLock { state in
                    state.book.advance(to: now)
                    for item in some.prefix(Self.step) { body(&state.book, item) }
                }
                some = some.dropFirst(Self.step)
                if !some.isEmpty { LongWork.pause() }
            }
            wake(changedAfter: before)
        }
    }

    private func wake(changedAfter before: UInt64) {
        let woken = state.withLock { Self.takeWaiters(of: &$0, changedAfter: before) }
        for waiter in woken { waiter.continuation.resume() }
    }

    /// Lets time pass: expiries become changes, waiters past their deadline go, old shared answers are dropped.
    func tick(now: Timestamp) {
        advance(to: now)
        let late = state.withLock { state in
            state.shared = state.shared.filter { $0.key.second >= now.seconds }
            let isLate = { (waiter: Waiter) in waiter.deadline <= now.nanoseconds }
            let late = state.waiters.values.flatMap { $0.filter(isLate) }
            guard !late.isEmpty else { return late }
            state.waiters = state.waiters.mapValues { $0.filter { !isLate($0) } }.filter { !$0.value.isEmpty }
            return late
        }
        for waiter in late { waiter.continuation.resume() }
        while !state.withLock({ $0.book.trim(now: now) }) { LongWork.pause() }
    }

    /// Expires in steps what is due, so that the next `advance` of the book has next to nothing to do.
    private func advance(to now: Timestamp) {
        var isDone = false
        while !isDone {
            let woken: [Waiter]
            (isDone, woken) = state.withLock { state in
                let before = state.book.lastChange
                let isDone = state.book.advance(to: now, atMost: Self.stride)
                return (isDone, Self.takeWaiters(of: &state, changedAfter: before))
            }
            for waiter in woken { waiter.continuation.resume() }
        }
    }

    /// The waiters to whom one of the changes may matter.
    private static func takeWaiters(of state: inout State, changedAfter before: UInt64) -> [Waiter] {
        guard !state.waiters.isEmpty, state.book.lastChange > before else { return [] }
        var woken: [Waiter] = []
        for (filter, waiters) in state.waiters where !state.book.delta(after: before, filter).isEmpty {
            woken += waiters
            state.waiters[filter] = nil
        }
        return woken
    }

    // MARK: Questions

    var activeCount: Int { state.withLock { $0.book.activeCount } }

    /// Present number of held requests.
    var waiterCount: Int { state.withLock { $0.waiters.values.reduce(0) { $0 + $1.count } } }

    func fingerprint(now: Timestamp) -> DecisionFingerprint {
        advance(to: now)
        return state.withLock { state in
            state.book.advance(to: now)
            return DecisionFingerprint(count: state.book.activeCount, idSum: state.book.activeIDSum)
        }
    }

    func isActive(_ id: Int64) -> Bool {
        state.withLock { $0.book.isActive(id) }
    }

    func activeIDs(notIn present: Set<Int64>) -> [Int64] {
        let entries = state.withLock { $0.book.entries }
        var ids: [Int64] = []
        for slot in 0..<entries.count where entries[slot].state == .active && !present.contains(entries[slot].id) {
            ids.append(entries[slot].id)
        }
        return ids
    }

    /// How many decisions concern a value: those that cover it when it is an address, else those that name it. What
    /// ended long ago is forgotten (`DecisionBook.Retention`).
    func count(value: String, since: GoDuration?, activeOnly: Bool, now: Timestamp) -> Int {
        let view = view(now: now)
        let earliest = since.map { (now - $0).nanoseconds } ?? .min
        let isCounted: (DecisionEntry) -> Bool = { entry in
            entry.state != .free && entry.createdAt >= earliest && (!activeOnly || entry.state == .active)
        }
        guard let range = IPRange(unmapping: value) else {
            return (0..<view.entries.count).count { isCounted(view.entries[$0]) && view.entries[$0].value == value }
        }
        return state.withLock { state in
            state.book.slotsCovering(range).count { isCounted(state.book.entries[$0]) }
        }
    }

    /// How long the longest active decision about a value still lasts, zero when there is none; which ones count: `count`.
    func timeLeft(value: String, now: Timestamp) -> GoDuration {
        let view = view(now: now)
        let slots =
            if let range = IPRange(unmapping: value) {
                state.withLock { $0.book.slotsCovering(range) }
            } else {
                (0..<view.entries.count).filter { view.entries[$0].value == value }
            }
        let ends = slots.filter { view.entries[$0].state == .active }.map { view.entries[$0].until }
        return ends.max().map { Timestamp(nanoseconds: $0) - now } ?? .zero
    }

    /// Active decisions by what they are, for the metrics.
    func activeKinds() -> [(kind: DecisionKind, count: Int)] {
        state.withLock { $0.book.kinds }.active
    }

    func view(now: Timestamp) -> DecisionView {
        advance(to: now)
        return state.withLock { state in
            state.book.advance(to: now)
            return DecisionView(state.book, now: now)
        }
    }

    /// The slots that a search finds, with the snapshot they belong to.
    func search(_ search: DecisionSearch, now: Timestamp) -> (slots: [Int], view: DecisionView) {
        advance(to: now)
        let (slots, view) = state.withLock { state in
            state.book.advance(to: now)
            return (state.book.lookUp(search), DecisionView(state.book, now: now))
        }
        return (slots ?? view.find(search), view)
    }

    /// As `stream`, where it is soon told: the log remembers, has little to say, and nothing has run out unnoticed.
    func streamAtOnce(from cursor: StreamCursor, _ filter: DecisionFilter, now: Timestamp) -> SharedAnswer? {
        guard case .change(let number) = cursor else { return nil }
        let finding: Finding? = state.withLock { state in
            guard state.book.remembers(number), state.book.isAdvanced(to: now) else { return nil }
            return Self.find(in: state, cursor, filter, now: now)
        }
        guard case .changes(let number, let view) = finding else { return finding.map { answer($0, cursor, filter) } }
        let delta = view.delta(after: number, filter, atMost: Self.longDelta)
        return delta.map { share($0, view, cursor, filter) }
    }

    /// What a bouncer at `cursor` is to be told, and where it stands then. Equal questions within a second share.
    func stream(from cursor: StreamCursor, _ filter: DecisionFilter, now: Timestamp) -> SharedAnswer {
        advance(to: now)
        let finding = state.withLock { state in
            state.book.advance(to: now)
            return Self.find(in: state, cursor, filter, now: now)
        }
        return answer(finding, cursor, filter)
    }

    private func answer(_ finding: Finding, _ cursor: StreamCursor, _ filter: DecisionFilter) -> SharedAnswer {
        switch finding {
        case .answer(let answer): return answer
        case .delta(let delta, let view): return share(delta, view, cursor, filter)
        case .changes(let number, let view):
            return share(view.delta(after: number, filter), view, cursor, filter)
        case .everything(let view): return share(view.delta(from: cursor, filter), view, cursor, filter)
        }
    }

    private enum Finding {
        case answer(SharedAnswer)
        case delta(StreamDelta, DecisionView)
        /// More than a few changes, to be gone through outside the lock.
        case changes(after: UInt64, DecisionView)
        /// The log does not reach back to the cursor: a pass over all decisions, outside the lock.
        case everything(DecisionView)
    }

    private static func find(in state: State, _ cursor: StreamCursor, _ filter: DecisionFilter, now: Timestamp)
        -> Finding
    {
        let lastChange = state.book.lastChange
        if cursor == .change(lastChange) { return .answer(SharedAnswer(emptyAt: lastChange)) }
        if let shared = state.shared[key(cursor, filter, lastChange, now)] { return .answer(shared) }
        let view = DecisionView(state.book, now: now)
        guard case .change(let number) = cursor, state.book.remembers(number) else { return .everything(view) }
        if lastChange - number > shortDelta { return .changes(after: number, view) }
        let delta = view.delta(after: number, filter)
        return delta.isEmpty ? .answer(SharedAnswer(emptyAt: lastChange)) : .delta(delta, view)
    }

    private func share(
        _ delta: StreamDelta, _ view: DecisionView, _ cursor: StreamCursor, _ filter: DecisionFilter
    ) -> SharedAnswer {
        if delta.isEmpty { return SharedAnswer(emptyAt: view.lastChange) }
        let answer = SharedAnswer(view: view, delta: delta)
        state.withLock { $0.shared[Self.key(cursor, filter, view.lastChange, view.now)] = answer }
        return answer
    }

    private static func key(
        _ cursor: StreamCursor, _ filter: DecisionFilter, _ lastChange: UInt64, _ now: Timestamp
    ) -> SharedKey {
        SharedKey(cursor: cursor, filter: filter, lastChange: lastChange, second: now.seconds)
    }

    /// Returns at the next change after `cursor` that matters to the filter, or at the deadline.
    func waitForChange(after cursor: UInt64, _ filter: DecisionFilter, until deadline: Timestamp) async {
        await withCheckedContinuation { continuation in
            let mustWait = state.withLock { state in
                if !state.book.delta(after: cursor, filter).isEmpty { return false }
                let waiter = Waiter(deadline: deadline.nanoseconds, continuation: continuation)
                state.waiters[filter, default: []].append(waiter)
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    /// Sends every waiting request home with what there is.
    func releaseWaiters() {
        let all = state.withLock { state in
            defer { state.waiters = [:] }
            return state.waiters.values.joined()
        }
        for waiter in all { waiter.continuation.resume() }
    }
}
