public import CrowdCore
import CrowdExpr
import CrowdText

/// Where lines come from: what every line of one file or journal has in common.
public final class LineOrigin: Sendable {
    /// `evt.Line.Src`
    public let source: ByteSlice
    /// `evt.Line.Module`
    public let module: ByteSlice
    public let labels: LineLabels
    /// The log's own time counts, not the clock's.
    public let isReplay: Bool
    /// `labels.type`
    public let type: String

    public init(source: String, module: String, labels: [(String, String)], isReplay: Bool) {
        self.source = Immortal.copy(source)
        self.module = Immortal.copy(module)
        self.labels = LineLabels(labels)
        self.isReplay = isReplay
        type = labels.first { $0.0 == "type" }?.1 ?? ""
    }
}

/// What a worker tells its owner; called on the worker's thread.
public protocol WorkerObserver: AnyObject {
    /// Alerts of one overflow, one per source.
    func raised(_ alerts: [RaisedAlert])
    /// An overflow that a postoverflow let pass unpunished.
    func ignored(_ alert: Alert, reason: String)
    /// Something went wrong in a scenario; said once for each text.
    func failed(scenario: String, _ reason: String)
}

/// Parses lines and pours them: the whole engine on one thread, from bytes to alerts.
///
/// No lock, task or allocation per line that matches no scenario. All state is its own; content is shared.
public final class Worker {
    private let content: Content
    let parser: LineParser
    /// The line at hand; the parser's own.
    private let event: Event
    private let pourer: Pourer
    private let overflowEvent: Event
    private let postoverflow: StageRunner
    private let builder: AlertBuilder
    private let scopeMachine: Machine
    private let contextMachine: Machine
    public weak var observer: (any WorkerObserver)?
    private let recorder: Recorder?
    private var waiting: WaitingOverflows?
    private var complaints: Set<String> = []
    private let identity: EngineIdentity
    /// Where the line stands that is being processed, and how many alerts it has given: what alerts are named after.
    private var place = (source: ByteSlice.empty, time: Timestamp(nanoseconds: 0), ordinal: 0, alerts: 0)
    public var counts: LineCounts { parser.counts }

    /// - Parameters:
    ///   - recorder: sees every step; makes the engine slow.
    ///   - identity: of an earlier engine that this one goes on as.
    ///   - bucketCeiling: the most live buckets; beyond it the eldest are evicted and counted.
    public init(
        _ content: Content, observer: (any WorkerObserver)?, recorder: Recorder? = nil,
        identity: EngineIdentity = EngineIdentity(), bucketCeiling: Int = 250_000
    ) {
        self.identity = identity
        self.content = content
        self.observer = observer
        self.recorder = recorder
        parser = LineParser(content)
        event = parser.event
        pourer = Pourer(content, event: event, ceiling: bucketCeiling, hashKey: identity.hashKey)
        overflowEvent = Event(keys: content.keys)
        postoverflow = StageRunner(content.postoverflows, event: overflowEvent, stashes: content.data.stashes)
        builder = AlertBuilder(keys: content.keys)
        scopeMachine = Machine(event: Event(keys: content.keys))
        contextMachine = Machine(event: Event(keys: content.keys), variables: AlertContext.variables)
        parser.runner.observer = recorder
        postoverflow.observer = recorder
        // Not weak: who is referred to weakly is counted in a slower way.
        pourer.onError = { [unowned self] scenario, text in complain(scenario.name, text) }
        pourer.recorder = recorder
    }

    /// One line, without its line end. `raw` need live only as long as the call.
    ///
    /// - Parameters:
    ///   - time: when it was read; what it gives depends on the lines and these times alone.
    ///   - isLate: it was written while nobody read; the time that it tells counts then.
    public func process(_ raw: ByteSlice, from origin: LineOrigin, at time: Timestamp, isLate: Bool = false) {
        recorder?.line = counts.read
        begin(origin, time, isLate)
        place.ordinal += 1
        event.reset()
        if parser.parse(raw, from: origin, at: time) { pour() }
    }

    /// What another thread parsed, in the order of the lines: the same as `process` for each of the batch's lines.
    public func process(_ lines: ParsedLines, from origin: LineOrigin, at time: Timestamp, isLate: Bool = false) {
        begin(origin, time, isLate)
        let before = place.ordinal
        lines.events.withEach(in: event) { ordinal in
            place.ordinal = before + ordinal
            pour()
        }
        place.ordinal = before + lines.counts.read
        parser.counts += lines.counts
        parser.runner.add(lines.nodeCounts)
    }

    private func begin(_ origin: LineOrigin, _ time: Timestamp, _ isLate: Bool) {
        if place.time != time || place.source.base != origin.source.base {
            place = (origin.source, time, 0, 0)
        }
        pourer.now = time
        pourer.isLate = isLate
    }

    private func pour() {
        place.alerts = 0
        recorder?.offered(event)
        pourer.pour()
        if !pourer.overflows.isEmpty { settleOverflows() }
    }

    /// Ends buckets whose time is over; to be called about ten times a second when live.
    public func sweep(at now: Timestamp) {
        pourer.now = now
        pourer.isLate = false
        pourer.sweep(at: now)
        if !pourer.overflows.isEmpty { settleOverflows() }
    }

    /// What nodes and scenarios counted, for `EngineMetrics`.
    var nodeCounts: [NodeCounts] { parser.runner.counts }
    var scenarioCounts: [ScenarioCounts] { pourer.counts }
    var bucketCounts: [(scenario: String, count: Int)] { pourer.bucketCounts.map { ($0.scenario.name, $0.count) } }
    /// Names of the scenarios that took an event so far, in order of loading.
    public var pouredScenarios: [String] {
        pourer.counts.indices.filter { pourer.counts[$0].poured > 0 }.map { content.scenarios[$0].name }
    }
    /// Live buckets of all scenarios.
    public var liveBuckets: Int { pourer.live }

    /// Counts begin anew, buckets go on.
    public func resetCounts() {
        parser.resetCounts()
        pourer.resetCounts()
    }

    // MARK: snapshots

    /// The live buckets, blackholes and stashes.
    ///
    /// Overflows that wait are not among them: `settleWaiting` comes first.
    public func writeSnapshot(to writer: inout ByteWriter) { pourer.write(content, to: &writer) }

    /// Goes on with what another worker wrote, of this content or an earlier one.
    public func restoreSnapshot(_ reader: inout ByteReader) throws(DamagedBytes) -> BucketRestoration {
        try pourer.read(&reader, content, encoder: builder.encoder)
    }

    // MARK: overflows

    /// Lines no longer wait for the names that postoverflows ask for: overflows do, until `settleWaiting` finds them ready.
    public func lettingOverflowsWait() -> Self {
        waiting = recorder == nil ? content.postoverflows.reverseDNS.map(WaitingOverflows.init) : nil
        return self
    }

    /// Whether `settleWaiting` is to be called soon again.
    public var hasWaitingOverflows: Bool { waiting?.isEmpty == false }

    /// Raises the alerts of overflows whose name has come.
    ///
    /// - Parameter all: waits for the names of all.
    public func settleWaiting(all: Bool = false) {
        concludeWaiting(all: all)
        if !pourer.overflows.isEmpty { settleOverflows() }
    }

    private func concludeWaiting(all: Bool) {
        while let overflow = waiting?.next(waits: all) { conclude(overflow.object, overflow.time) }
    }

    /// Overflows may be poured again and overflow once more; the chain ends by itself, and at a bound.
    private func settleOverflows() {
        var rounds = 0
        while !pourer.overflows.isEmpty, rounds < 16 {
            rounds += 1
            let overflows = pourer.overflows
            pourer.overflows.removeAll(keepingCapacity: true)
            for overflow in overflows { settle(overflow) }
        }
        pourer.overflows.removeAll(keepingCapacity: true)
    }

    private func settle(_ overflow: Pourer.Overflow) {
        var alerts: [RaisedAlert]
        do {
            alerts = try builder.build(overflow.bucket, of: overflow.scenario, machine: scopeMachine) { source in
                uuid(for: source, of: overflow)
            }
        } catch {
            return complain(overflow.scenario.name, error.description)
        }
        if !content.context.isEmpty {
            let meta = content.context.items(overflow.bucket.queue, machine: contextMachine)
            for index in alerts.indices { alerts[index].header.meta = meta }
        }
        let reprocesses = overflow.scenario.config.reprocesses
        guard !content.postoverflows.isEmpty || reprocesses || recorder != nil else {
            observer?.raised(alerts)
            return
        }
        let time = overflow.bucket.overflowed
        let object = OverflowObject(alerts, reprocesses: reprocesses)
        guard let waiting, !reprocesses || !isWanted(object, time) else {
            // What is poured again comes before the next line.
            return conclude(object, time)
        }
        waiting.append(object, at: time)
        if waiting.isFull, let first = waiting.next(waits: true) { conclude(first.object, first.time) }
        concludeWaiting(all: false)
    }

    /// Whether pouring it again would change a bucket.
    private func isWanted(_ overflow: OverflowObject, _ time: Timestamp) -> Bool {
        asEvent(overflow, time) { pourer.mayTake() }
    }

    /// Runs the postoverflows, and raises the alerts unless one of them objects.
    private func conclude(_ object: OverflowObject, _ time: Timestamp) {
        prepare(overflowEvent, object, time)
        if !content.postoverflows.isEmpty { _ = postoverflow.run() }
        recorder?.overflowed(overflowEvent)
        guard !overflowEvent.isWhitelisted else {
            observer?.ignored(object.alerts[0].header, reason: String(overflowEvent.whitelistReason))
            return
        }
        let finished = object.finished
        // To the bucket stage, as a live event.
        if object.reprocesses {
            asEvent(object, time) {
                recorder?.offered(event)
                pourer.pour()
            }
        }
        observer?.raised(finished)
    }

    /// The same for the same line and the same bucket, whenever that is processed again.
    private func uuid(for source: AlertSource, of overflow: Pourer.Overflow) -> String {
        var facts = ByteWriter(capacity: 256)
        facts.text(overflow.scenario.name)
        facts.text(source.value)
        facts.number(overflow.bucket.keyHash)
        facts.time(overflow.bucket.first)
        facts.time(overflow.bucket.overflowed)
        if !overflow.bucket.hasTimedOut {
            place.alerts += 1
            facts.text(place.source)
            facts.time(place.time)
            facts.int(place.ordinal)
            facts.int(place.alerts)
        }
        return identity.uuid(facts)
    }

    private func prepare(_ event: Event, _ overflow: OverflowObject, _ time: Timestamp) {
        event.reset()
        event.kind = .overflow
        event.overflow = overflow
        event.time = time
        event.line = Event.Line()
        event.setMarshaledTime(event.arena.copy(time.rfc3339Nano), instant: time)
    }

    /// With the event at hand being the overflow, and nothing else in it.
    private func asEvent<R>(_ overflow: OverflowObject, _ time: Timestamp, _ body: () -> R) -> R {
        let line = event.line
        defer { event.line = line }
        prepare(event, overflow, time)
        // It is in none: no parser sees it.
        event.stage = event.stages.count
        return body()
    }

    private func complain(_ scenario: String, _ text: String) {
        guard complaints.count < 1_000, complaints.insert(scenario + text).inserted else { return }
        observer?.failed(scenario: scenario, text)
    }
}
