import CrowdCore
import CrowdExpr

/// Counts of what happened to one scenario's buckets.
struct ScenarioCounts {
    var poured = 0
    var overflowed = 0
    var underflowed = 0
    var canceled = 0
    var instantiated = 0
    var evicted = 0
    var errors = 0
}

/// Pours events into the buckets of every scenario that wants them (engine facts E.4). One worker's own.
///
///     pour ──filter, groupby──► bucket ──distinct, cancel_on──► limiter ──► absorbed
///                                 │                               └───────► overflow ──► `overflows`
///     sweep(at:) ── time is over ─┴─► underflow, or overflow when timed
final class Pourer {
    /// A bucket that overflowed and is to become alerts.
    struct Overflow {
        let scenario: Scenario
        let bucket: BucketSummary
    }

    private let scenarios: PinnedList<Scenario>
    private let index: ScenarioIndex
    private let stores: PinnedList<BucketStore>
    private let event: Event
    private let machine: Machine
    private let queueMachine: Machine
    private let shown = BucketObject()
    private let brief = QueueObject([])
    private static let shortQueue = 8
    private(set) var counts: [ScenarioCounts]
    /// Overflows since they were last taken, in order.
    var overflows: [Overflow] = []
    /// Live buckets, all scenarios together, and the most there may be.
    private(set) var live = 0
    private let ceiling: Int
    /// From this many buckets on, a replay lets go of those whose time is long over.
    private var replayCrowd = Pourer.smallCrowd
    private static let smallCrowd = 10_000
    /// How much older than the newest line a log's lines may be, where it is sorted by anything but time.
    private static let disorder = GoDuration.seconds(3_600)
    /// For hashes that a snapshot keeps.
    private let hashKey: UInt64
    /// The clock, as the caller moves it: when the batch of the line was read, or the sweep began.
    var now = Timestamp(nanoseconds: 0)
    /// Lines were written while nobody read them: where they tell a time, it counts.
    var isLate = false
    private let candidates = ScenarioCandidates()
    private let shapes: FrozenShapes
    private var frozen: (plain: FrozenEvent?, whole: FrozenEvent?) = (nil, nil)
    var onError: (Scenario, String) -> Void = { _, _ in }
    /// Sees every event that a scenario takes.
    var recorder: Recorder?

    init(_ content: Content, event: Event, ceiling: Int, hashKey: UInt64) {
        scenarios = PinnedList(content.scenarios)
        index = content.scenarioIndex
        stores = PinnedList(content.scenarios.map(BucketStore.init))
        shapes = FrozenShapes(content.keys)
        self.event = event
        machine = Machine(event: event)
        queueMachine = Machine(event: event, variables: [.null, .null, .null])
        counts = Array(repeating: ScenarioCounts(), count: content.scenarios.count)
        self.ceiling = ceiling
        self.hashKey = hashKey
    }

    func resetCounts() { counts = Array(repeating: ScenarioCounts(), count: counts.count) }

    var bucketCounts: [(scenario: Scenario, count: Int)] { stores.elements.map { ($0.scenario, $0.count) } }

    /// Offers the machine's event to every scenario; the event is a log line or an overflow.
    func pour() {
        index.find(candidates, on: machine)
        guard !candidates.isEmpty else { return }
        for number in candidates.numbers { scenarios.with(number) { offer(to: $0) } }
        frozen = (nil, nil)
    }

    /// Whether some scenario may take the machine's event; nothing is poured.
    func mayTake() -> Bool {
        index.find(candidates, on: machine)
        return candidates.numbers.contains { scenarios.with($0) { (try? $0.filter.bool(on: machine)) != false } }
    }

    private func offer(to scenario: Scenario) {
        do {
            guard try scenario.filter.bool(on: machine) else { return }
            let key =
                try scenario.groupBy.with { program throws(ExprError) in try program.text(on: machine) } ?? .empty
            counts[scenario.number].poured += 1
            recorder?.poured(event, into: scenario.name)
            // A trigger fires even for an event that tells no time.
            if scenario.config.kind == .trigger { return trigger(scenario, key, time() ?? now) }
            guard let time = time() else { return }
            try pour(into: bucket(scenario, key, time), scenario, time)
        } catch {
            // An error is the scenario's own: the next ones still see the event.
            counts[scenario.number].errors += 1
            onError(scenario, error.message)
        }
    }

    /// The event's time: the clock's when live, the log's own in a replay; nil when the log told none there.
    private func time() -> Timestamp? {
        if event.isReplay { return event.instant }
        return isLate ? min(event.instant ?? now, now) : now
    }

    private func trigger(_ scenario: Scenario, _ key: ByteSlice, _ time: Timestamp) {
        counts[scenario.number].instantiated += 1
        let summary = BucketSummary(
            total: 1, first: time, last: time, overflowed: time, queue: [frozenEvent(scenario, time)])
        overflow(summary, scenario, key)
    }

    // MARK: buckets

    private func bucket(_ scenario: Scenario, _ key: ByteSlice, _ time: Timestamp) -> BucketPointer {
        stores.with(scenario.number) { bucket(in: $0, scenario, key, time) }
    }

    private func bucket(
        in store: BucketStore, _ scenario: Scenario, _ key: ByteSlice, _ time: Timestamp
    ) -> BucketPointer {
        let hash = key.keyedHash
        if let bucket = store.find(key, hash: hash) {
            guard isOver(bucket, scenario, time) else { return bucket }
            let isReplay = bucket.pointee.isReplay
            if isReplay || !scenario.isTimed, isReplay == event.isReplay {
                counts[scenario.number].underflowed += 1
                counts[scenario.number].instantiated += 1
                bucket.pointee.restart(capacity: scenario.config.capacity)
                return bucket
            }
            finish(bucket, scenario, at: time)
        }
        if event.isReplay, live >= replayCrowd { sweepReplay(at: time) }
        if live >= ceiling { evict() }
        live += 1
        counts[scenario.number].instantiated += 1
        return store.make(key, hash: hash, isReplay: event.isReplay)
    }

    /// Ends a replay's buckets that nothing can be poured into any more, unless the log goes back by more than an hour.
    /// What they would have given is the same: nothing.
    private func sweepReplay(at time: Timestamp) {
        for store in stores.elements where !store.scenario.isTimed {
            while let bucket = store.eldest, bucket.pointee.isReplay,
                time > bucket.pointee.last + store.scenario.life + Pourer.disorder
            {
                finish(bucket, store.scenario, at: time)
            }
        }
        replayCrowd = max(Pourer.smallCrowd, live + live / 4)
    }

    private func isOver(_ bucket: BucketPointer, _ scenario: Scenario, _ time: Timestamp) -> Bool {
        guard bucket.pointee.total > 0 else { return false }
        return bucket.pointee.isReplay
            ? time > bucket.pointee.last + scenario.life : bucket.pointee.deadline < time
    }

    /// The bucket's time is over: a timed one overflows, any other just goes.
    private func finish(_ bucket: BucketPointer, _ scenario: Scenario, at time: Timestamp) {
        if scenario.isTimed, !bucket.pointee.isReplay {
            bucket.pointee.overflowed = min(time, bucket.pointee.deadline)
            var ended = summary(bucket)
            ended.hasTimedOut = true
            overflow(ended, scenario, bucket.pointee.key)
        } else {
            counts[scenario.number].underflowed += 1
        }
        remove(bucket, scenario)
    }

    private func remove(_ bucket: BucketPointer, _ scenario: Scenario) {
        stores.with(scenario.number) { $0.remove(bucket) }
        live -= 1
    }

    private func summary(_ bucket: BucketPointer) -> BucketSummary {
        BucketSummary(
            total: bucket.pointee.total, first: bucket.pointee.first, last: bucket.pointee.last,
            overflowed: bucket.pointee.overflowed, queue: bucket.pointee.queue)
    }

    /// At the ceiling, the bucket that waited longest gives way: the eldest of the scenario that has most.
    private func evict() {
        let crowded = stores.elements.max { $0.count < $1.count }
        guard let crowded, let eldest = crowded.eldest else { return }
        crowded.remove(eldest)
        live -= 1
        counts[crowded.scenario.number].evicted += 1
    }

    private func pour(into bucket: BucketPointer, _ scenario: Scenario, _ time: Timestamp) throws(ExprError) {
        if scenario.distinct.with({ isRepeated($0, bucket) }) ?? false { return }
        if scenario.cancelOn.with({ (try? $0.bool(on: machine)) == true }) ?? false {
            counts[scenario.number].canceled += 1
            return remove(bucket, scenario)
        }
        let kept = frozenEvent(scenario, time)
        if bucket.pointee.total == 0 { bucket.pointee.first = time }
        bucket.pointee.total += 1
        bucket.pointee.last = time
        let granted =
            scenario.config.kind == .conditional
            || bucket.pointee.limiter.pour(
                at: time.nanoseconds, capacity: scenario.config.capacity, leakSeconds: scenario.leakSeconds)
        bucket.pointee.enqueue(kept, limit: scenario.queueLimit)
        if !granted || afterPour(bucket, scenario) {
            bucket.pointee.overflowed = time
            overflow(summary(bucket), scenario, bucket.pointee.key)
            return remove(bucket, scenario)
        }
        restartLife(of: bucket, scenario)
    }

    private func restartLife(of bucket: BucketPointer, _ scenario: Scenario) {
        if scenario.isTimed, bucket.pointee.total > 1 { return }
        // A replay's buckets end by the log's time, in `isOver`; the sweep leaves them alone.
        bucket.pointee.deadline =
            bucket.pointee.isReplay ? Timestamp(nanoseconds: .max) : bucket.pointee.last + scenario.life
        stores.with(scenario.number) { $0.touch(bucket) }
    }

    private func isRepeated(_ distinct: Program, _ bucket: BucketPointer) -> Bool {
        guard let value = try? distinct.value(on: machine) else { return false }
        var text = ByteSlice.empty
        if case .string(let string) = value { text = string }
        return !bucket.pointee.remember(text.hash(keyedBy: hashKey))
    }

    /// True when a condition that is asked after each pour overflows the bucket.
    private func afterPour(_ bucket: BucketPointer, _ scenario: Scenario) -> Bool {
        if bucket.pointee.queue.count >= scenario.leastQueue, scenario.condition.with({ holds($0, bucket) }) ?? false {
            return true
        }
        return scenario.config.kind == .bayesian && posterior(bucket, scenario) > scenario.config.bayesianThreshold
    }

    /// Variables: `queue`, `leaky`, `signal`.
    private func holds(_ program: Program, _ bucket: BucketPointer) -> Bool {
        show(bucket)
        return (try? program.bool(on: queueMachine)) ?? false
    }

    /// The bucket and its queue as variables.
    private func show(_ bucket: BucketPointer) {
        let queue = shownQueue(of: bucket)
        shown.show(bucket, queue)
        queueMachine.variables[0] = .object(queue)
        queueMachine.variables[1] = .object(shown)
    }

    /// A long queue's object stays with its bucket, and conditions remember what they found in it; short ones, which most are,
    /// are shown by one object in turn.
    private func shownQueue(of bucket: BucketPointer) -> QueueObject {
        guard bucket.pointee.queue.count > Pourer.shortQueue else {
            brief.show(bucket.pointee.queue)
            return brief
        }
        let memory = bucket.pointee.ownMemory()
        let queue = memory.queue ?? QueueObject([])
        memory.queue = queue
        queue.follow(bucket.pointee.queue)
        return queue
    }

    private func posterior(_ bucket: BucketPointer, _ scenario: Scenario) -> Float {
        show(bucket)
        var p = scenario.config.bayesianPrior
        for (number, (program, config)) in scenario.bayesian.enumerated() {
            var holds = bucket.pointee.memory?.guillotined.contains(number) ?? false
            if !holds {
                guard let answer = try? program.bool(on: queueMachine) else { continue }
                holds = answer
                if holds, config.isGuillotine { bucket.pointee.ownMemory().guillotined.insert(number) }
            }
            let evil = holds ? config.probabilityGivenEvil : 1 - config.probabilityGivenEvil
            let benign = holds ? config.probabilityGivenBenign : 1 - config.probabilityGivenBenign
            p = evil * p / (evil * p + benign * (1 - p))
        }
        return p
    }

    private func frozenEvent(_ scenario: Scenario, _ time: Timestamp) -> FrozenEvent {
        let isWhole = scenario.keepsWholeEvents
        if let kept = frozen.whole ?? (isWhole ? nil : frozen.plain) { return kept }
        let made = FrozenEvent.keep(event, time: event.isReplay ? event.time : time, keepingAll: isWhole, shapes)
        if isWhole { frozen.whole = made } else { frozen.plain = made }
        return made
    }

    // MARK: overflow

    /// Blackholes and filters decide whether anybody hears of it (engine facts E.4, overflow sequence).
    private func overflow(_ bucket: BucketSummary, _ scenario: Scenario, _ key: ByteSlice) {
        if let filter = scenario.overflowFilter {
            let object = BucketObject(bucket)
            queueMachine.variables[0] = .object(object.queue)
            queueMachine.variables[1] = .object(object)
            if let passes = try? filter.bool(on: queueMachine), !passes { return }
        }
        if let span = scenario.config.blackhole {
            let enters = stores.with(scenario.number) { $0.enterBlackhole(key, at: bucket.overflowed, lasting: span) }
            guard enters else { return }
        }
        counts[scenario.number].overflowed += 1
        var bucket = bucket
        bucket.keyHash = key.hash(keyedBy: hashKey)
        overflows.append(Overflow(scenario: scenario, bucket: bucket))
    }

    func write(_ content: Content, to writer: inout ByteWriter) {
        BucketSnapshot.write(stores.elements, content, to: &writer)
    }

    func read(
        _ reader: inout ByteReader, _ content: Content, encoder: EventEncoder
    ) throws(DamagedBytes) -> BucketRestoration {
        defer { live = stores.elements.reduce(0) { $0 + $1.count } }
        return try BucketSnapshot.read(&reader, into: stores.elements, content, encoder: encoder)
    }

    /// Ends the buckets whose time is over. O(what it ends).
    func sweep(at now: Timestamp) {
        for store in stores.elements {
            while let bucket = store.due(at: now) { finish(bucket, store.scenario, at: now) }
        }
    }
}
