public import CrowdAcquisition
public import CrowdCore
public import CrowdEngine
public import CrowdLAPI
public import Logging
import Synchronization

/// The engine's thread: takes batches of lines, runs them through the worker, hands alerts to the spool, and keeps
/// account of what is done.
///
/// Everything here belongs to that one thread but for `replace`, which leaves new content for it to find, and
/// `recover`, which runs before the thread does.
public final class EngineLoop: WorkerObserver, @unchecked Sendable {
    // Sendable: all but `pending`, which locks, is touched by one thread at a time, as said above.
    private static let sweepMilliseconds = 100
    /// How soon to look again whether names came that overflows wait for.
    private static let namesMilliseconds = 2
    /// A line that brings the agent down must not do so at every start: after so many failures it is left out.
    static let patienceWithRedo = 5
    static let patienceWithBuckets = 8
    static let checkpointInterval = GoDuration.seconds(30)
    static let pauseAfterFailure = GoDuration.seconds(1)
    /// A longer redo log would take too long to go through again.
    static let mostRedoBytes = 64 * 1024 * 1024
    /// Nor may more of the logs have to be read again.
    static let mostLogBytes = 256 * 1024 * 1024

    /// Where alerts go and how far things are kept across restarts.
    public struct Outlets {
        /// nil when alerts are only printed.
        public var spool: AlertSpool?
        /// Where checkpoints lie; nil for a replay, which begins and ends with its log.
        public var stateDirectory: String?
        /// Where sources find out where they were.
        public var positions: FilePositions
        public var cursors: SourceCursors

        public init(
            spool: AlertSpool?, stateDirectory: String? = nil, positions: FilePositions = FilePositions(),
            cursors: SourceCursors = SourceCursors()
        ) {
            self.spool = spool
            self.stateDirectory = stateDirectory
            self.positions = positions
            self.cursors = cursors
        }
    }

    private let queue: LineQueue
    private let parserCount: Int
    private var parsers: ParserPool?
    let outlets: Outlets
    let registry: Metrics
    let log: Logger
    private let pending = Mutex<Content?>(nil)
    var content: Content
    var worker: Worker
    var metrics: EngineMetrics
    let store: CheckpointStore?
    private let recorder: Recorder?
    var checkpoint = Checkpoint()
    /// Numbers of the origins that the redo log knows.
    var origins: [ObjectIdentifier: (number: Int, origin: LineOrigin)] = [:]
    var outgoing: [EncodedAlert] = []
    /// Alerts that are in the spool already, while an earlier run is gone through again.
    var known: Set<String> = []
    var isRecovering = false
    private var raisedCount = 0
    private var lastSweep = Timestamp(nanoseconds: 0)
    private var lastGauges = Timestamp(nanoseconds: 0)
    var lastCheckpoint = Timestamp.now()
    var checkpointCost = GoDuration.zero
    var bytesSinceCheckpoint = 0
    /// Until then no other checkpoint is tried.
    var checkpointPause = Timestamp(nanoseconds: 0)
    /// Until then late lines are expected, and no bucket ends by the clock.
    private var lateUntil = Timestamp(nanoseconds: 0)

    /// - Parameters:
    ///   - parsers: threads that parse ahead of this one; with fewer than two this one does it all.
    ///   - recorder: sees every step, on this thread; nobody parses ahead then.
    public init(
        _ content: Content, queue: LineQueue, parsers: Int = 1, outlets: Outlets, recorder: Recorder? = nil,
        metrics: Metrics, log: Logger
    ) {
        self.content = content
        self.queue = queue
        self.recorder = recorder
        parserCount = recorder == nil ? parsers : 1
        self.outlets = outlets
        self.log = log
        registry = metrics
        self.metrics = EngineMetrics(metrics, content: content)
        store = outlets.stateDirectory.map { CheckpointStore(directory: $0, log: log) }
        worker = Worker(content, observer: nil, recorder: recorder, identity: checkpoint.identity)
            .lettingOverflowsWait()
        worker.observer = self
        if let store { outlets.spool?.whenAccounted { store.note(.raised($0)) } }
    }

    /// What a finished run amounts to.
    public struct Summary: Sendable {
        public var lines = LineCounts()
        public var alerts = 0
    }

    /// From the next batch on lines are judged by this content. Buckets of scenarios that did not change go on.
    public func replace(_ content: Content) { pending.withLock { $0 = content } }

    /// Runs until the queue is closed and empty.
    public func run() -> Summary {
        if parserCount > 1 {
            let pool = ParserPool(queue, content: content, count: parserCount)
            if pool.isRunning { parsers = pool }
        }
        while step() {
            worker.settleWaiting()
            sweep()
            send()
            if isCheckpointDue { writeCheckpoint(waits: false) }
        }
        worker.settleWaiting(all: true)
        send()
        writeCheckpoint(waits: true)
        outlets.spool?.secure()
        return Summary(lines: worker.counts, alerts: raisedCount)
    }

    /// Takes what comes next; false when nothing will come any more.
    private func step() -> Bool {
        takeNewContent()
        let patience = worker.hasWaitingOverflows ? Self.namesMilliseconds : Self.sweepMilliseconds
        if let parsers {
            switch parsers.take(within: patience) {
            case .work(let work): process(work)
            case .nothing: break
            case .closed: return false
            }
        } else {
            switch queue.take(within: patience) {
            case .batch(let batch): process(ParserPool.Work(batch: batch))
            case .nothing: break
            case .closed: return false
            }
        }
        return true
    }

    private func takeNewContent() {
        let next = pending.withLock { pending in
            defer { pending = nil }
            return pending
        }
        guard let next else { return }
        parsers?.replace(next) {
            process($0)
            send()
        }
        worker.settleWaiting(all: true)
        var snapshot = ByteWriter()
        worker.writeSnapshot(to: &snapshot)
        content = next
        worker = newWorker(next)
        metrics = EngineMetrics(registry, content: next)
        restore(snapshot.bytes)
        writeCheckpoint(waits: true)
    }

    func newWorker(_ content: Content) -> Worker {
        Worker(content, observer: self, recorder: recorder, identity: checkpoint.identity).lettingOverflowsWait()
    }

    // MARK: lines

    private func process(_ work: ParserPool.Work) {
        let batch = work.batch
        if let store, batch.place != .always { note(batch, in: store) }
        batch.onAccounted?()
        if batch.isLate { lateUntil = Timestamp.now() + .seconds(2) }
        run(batch, work.lines)
        if let lines = work.lines { parsers?.recycle(lines) }
        // Where a file was opened is worth a checkpoint, though it has no bytes.
        bytesSinceCheckpoint += batch.byteCount + 1
    }

    func run(_ batch: LineBatch, _ lines: ParsedLines? = nil) {
        if let lines {
            worker.process(lines, from: batch.origin, at: batch.time, isLate: batch.isLate)
        } else {
            let worker = worker
            batch.withEachLine { worker.process($0, from: batch.origin, at: batch.time, isLate: batch.isLate) }
        }
        metrics.publish(worker, origin: batch.origin)
        checkpoint.advance(past: batch.place)
    }

    private func sweep() {
        let now = Timestamp.now()
        guard now - lastSweep >= .milliseconds(Int64(Self.sweepMilliseconds)) else { return }
        lastSweep = now
        if lateUntil < now { worker.sweep(at: now) }
        outlets.spool?.secureWhatWaits(at: now)
        guard now - lastGauges >= .seconds(1) else { return }
        lastGauges = now
        metrics.publishGauges(worker)
    }

    func send() {
        guard let spool = outlets.spool, !outgoing.isEmpty else { return }
        spool.append(outgoing)
        outgoing.removeAll(keepingCapacity: true)
    }

    // MARK: WorkerObserver

    public func raised(_ alerts: [RaisedAlert]) {
        for alert in alerts where !isRecovering || !known.contains(alert.header.uuid) {
            raisedCount += 1
            log.info("\(alert.header.simulated ? "(simulation) " : "")\(alert.header.message)")
            guard outlets.spool != nil else { continue }
            var writer = JSONWriter(capacity: 4_096)
            alert.write(to: &writer)
            outgoing.append(EncodedAlert(uuid: alert.header.uuid, json: writer.bytes))
        }
    }

    public func ignored(_ alert: Alert, reason: String) {
        log.info("Overflow ignored, whitelisted by \"\(reason)\": \(alert.message)")
    }

    public func failed(scenario: String, _ reason: String) {
        log.error("Scenario failed for an event. scenario=\(scenario) error=\"\(reason)\"")
    }
}
