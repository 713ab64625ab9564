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
    /// A line that brings the agent down must not do so at every start: after so many failures it is left out.
    private static let patienceWithRedo = 5
    private static let patienceWithBuckets = 8
    private static let checkpointInterval = GoDuration.seconds(30)
    /// A longer redo log would take too long to go through again.
    private static let mostRedoBytes = 64 * 1024 * 1024
    /// Nor may more of the logs have to be read again.
    private static let mostLogBytes = 256 * 1024 * 1024

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
    private let outlets: Outlets
    private let registry: Metrics
    private let log: Logger
    private let pending = Mutex<Content?>(nil)
    private var content: Content
    private var worker: Worker
    private var metrics: EngineMetrics
    private let store: CheckpointStore?
    private var checkpoint = Checkpoint()
    /// Numbers of the origins that the redo log knows.
    private var origins: [ObjectIdentifier: (number: Int, origin: LineOrigin)] = [:]
    private var outgoing: [EncodedAlert] = []
    /// Alerts that are in the spool already, while an earlier run is gone through again.
    private var known: Set<String> = []
    private var isRecovering = false
    private var raisedCount = 0
    private var lastSweep = Timestamp(nanoseconds: 0)
    private var lastGauges = Timestamp(nanoseconds: 0)
    private var lastCheckpoint = Timestamp.now()
    private var checkpointCost = GoDuration.zero
    private var bytesSinceCheckpoint = 0
    /// Until then late lines are expected, and no bucket ends by the clock.
    private var lateUntil = Timestamp(nanoseconds: 0)

    public init(_ content: Content, queue: LineQueue, outlets: Outlets, metrics: Metrics, log: Logger) {
        self.content = content
        self.queue = queue
        self.outlets = outlets
        self.log = log
        registry = metrics
        self.metrics = EngineMetrics(metrics, content: content)
        store = outlets.stateDirectory.map { CheckpointStore(directory: $0, log: log) }
        worker = Worker(content, observer: nil, identity: checkpoint.identity)
        worker.observer = self
    }

    /// What a finished run amounts to.
    public struct Summary: Sendable {
        public var lines = Worker.LineCounts()
        public var alerts = 0
    }

    /// From the next batch on lines are judged by this content. Buckets of scenarios that did not change go on.
    public func replace(_ content: Content) { pending.withLock { $0 = content } }

    /// Runs until the queue is closed and empty.
    public func run() -> Summary {
        var isOpen = true
        while isOpen {
            takeNewContent()
            switch queue.take(within: Self.sweepMilliseconds) {
            case .batch(let batch): process(batch)
            case .nothing: break
            case .closed: isOpen = false
            }
            sweep()
            send()
            if isCheckpointDue { writeCheckpoint(waits: false) }
        }
        writeCheckpoint(waits: true)
        return Summary(lines: worker.counts, alerts: raisedCount)
    }

    private func takeNewContent() {
        let next = pending.withLock { pending in
            defer { pending = nil }
            return pending
        }
        guard let next else { return }
        var snapshot = ByteWriter()
        worker.writeSnapshot(to: &snapshot)
        content = next
        worker = Worker(next, observer: self, identity: checkpoint.identity)
        metrics = EngineMetrics(registry, content: next)
        restore(snapshot.bytes)
        writeCheckpoint(waits: true)
    }

    // MARK: lines

    private func process(_ batch: LineBatch) {
        if let store, batch.place != .always { note(batch, in: store) }
        if batch.isLate { lateUntil = Timestamp.now() + .seconds(2) }
        run(batch)
        // Where a file was opened is worth a checkpoint, though it has no bytes.
        bytesSinceCheckpoint += batch.byteCount + 1
    }

    private func run(_ batch: LineBatch) {
        batch.withEachLine { worker.process($0, from: batch.origin, at: batch.time, isLate: batch.isLate) }
        metrics.publish(worker, origin: batch.origin)
        checkpoint.advance(past: batch.place)
    }

    private func sweep() {
        let now = Timestamp.now()
        guard now - lastSweep >= .milliseconds(Int64(Self.sweepMilliseconds)) else { return }
        lastSweep = now
        if lateUntil < now { worker.sweep(at: now) }
        guard now - lastGauges >= .seconds(1) else { return }
        lastGauges = now
        metrics.publishGauges(worker)
    }

    private func send() {
        guard let spool = outlets.spool, !outgoing.isEmpty else { return }
        do {
            try spool.append(outgoing)
            store?.note(.raised(outgoing.map(\.uuid)))
            outgoing.removeAll(keepingCapacity: true)
        } catch {
            // Kept for the next try: the disk may have room again, the Local API may answer.
            log.error("Alerts could not be spooled. count=\(outgoing.count) error=\"\(error)\"")
        }
    }

    // MARK: checkpoints

    private func note(_ batch: LineBatch, in store: CheckpointStore) {
        let id = ObjectIdentifier(batch.origin)
        if origins[id] == nil {
            let number = origins.count
            origins[id] = (number, batch.origin)
            store.note(.origin(number, batch.origin))
        }
        var redo = RedoBatch(
            origin: origins[id]?.number ?? 0, time: batch.time, isLate: batch.isLate, place: batch.place)
        if case .file = batch.place {} else { batch.withEachLine { redo.lines.append(Array($0.buffer)) } }
        store.note(.batch(redo))
    }

    private var isCheckpointDue: Bool {
        guard let store, bytesSinceCheckpoint > 0 else { return false }
        if store.redoBytes > Self.mostRedoBytes || bytesSinceCheckpoint > Self.mostLogBytes { return true }
        let interval = max(Self.checkpointInterval, GoDuration(nanoseconds: checkpointCost.nanoseconds * 50))
        return Timestamp.now() - lastCheckpoint > interval
    }

    private func writeCheckpoint(waits: Bool) {
        guard let store else { return }
        if waits { store.settle() }
        guard outgoing.isEmpty, let generation = store.begin() else { return }
        let start = Timestamp.now()
        origins = [:]
        bytesSinceCheckpoint = 0
        checkpoint.generation = generation
        var buckets = ByteWriter()
        worker.writeSnapshot(to: &buckets)
        checkpoint.buckets = buckets.bytes
        forgetOldPositions()
        store.commit(checkpoint, waits: waits)
        checkpoint.buckets = []
        lastCheckpoint = Timestamp.now()
        checkpointCost = lastCheckpoint - start
    }

    /// A name that nobody has for the moment may be between two files: names go only when there are very many.
    private func forgetOldPositions() {
        guard checkpoint.positions.count > 4_096 else { return }
        checkpoint.positions = checkpoint.positions.filter { FileContents.exists($0.key) }
    }

    private func restore(_ buckets: [UInt8]) {
        guard !buckets.isEmpty else { return }
        do {
            let result = try buckets.withUnsafeBufferPointer { buffer throws(DamagedBytes) in
                var reader = ByteReader(buffer)
                return try worker.restoreSnapshot(&reader)
            }
            log.info("Buckets go on. restored=\(result.restored) of_changed_scenarios=\(result.dropped)")
        } catch {
            log.error("Buckets could not be taken over, they begin anew. error=\"\(error)\"")
        }
    }

    // MARK: recovery

    /// Goes on where an earlier agent was, whatever ended it; to be called once, before sources and thread start.
    public func recover() {
        guard let store else { return }
        var (found, records) = store.recover()
        let failed = store.beginRecovery()
        if failed >= Self.patienceWithRedo {
            log.error("Lines since the last checkpoint are left out: going through them again failed \(failed) times")
            for case .batch(let batch) in records { found.advance(past: batch.place) }
            records = records.filter { if case .raised = $0 { true } else { false } }
        }
        if failed >= Self.patienceWithBuckets {
            log.error("Buckets of the last checkpoint are left out: taking them over failed \(failed) times")
            found.buckets = []
        }
        checkpoint = found
        worker = Worker(content, observer: self, identity: checkpoint.identity)
        restore(checkpoint.buckets)
        checkpoint.buckets = []
        known = outlets.spool?.waiting ?? []
        for case .raised(let uuids) in records { known.formUnion(uuids) }
        isRecovering = true
        redo(records)
        isRecovering = false
        known = []
        for position in checkpoint.positions.values { outlets.positions.save(position) }
        for (source, cursor) in checkpoint.cursors { outlets.cursors.save(cursor, of: source) }
        worker.resetCounts()
        metrics = EngineMetrics(registry, content: content)
        writeCheckpoint(waits: true)
        store.endRecovery()
    }

    /// Processes again what came after the checkpoint; alerts that are in the spool are not put there twice.
    private func redo(_ records: [RedoRecord]) {
        var origins: [Int: LineOrigin] = [:]
        let spans = SpanReader()
        var lines = 0
        for record in records {
            switch record {
            case .origin(let number, let origin): origins[number] = origin
            case .raised: break
            case .batch(let redo):
                guard let origin = origins[redo.origin] else { continue }
                if !redo.isLate { worker.sweep(at: redo.time) }
                if let batch = batch(redo, origin, spans) {
                    lines += batch.count
                    run(batch)
                }
                checkpoint.advance(past: redo.place)
                send()
            }
        }
        if lines > 0 { log.info("Lines since the last checkpoint were gone through again. lines=\(lines)") }
        if spans.missing > 0 {
            log.warning(
                "Lines of an earlier run could not be read again: their buckets may lack them. batches=\(spans.missing)"
            )
        }
    }

    private func batch(_ redo: RedoBatch, _ origin: LineOrigin, _ spans: SpanReader) -> LineBatch? {
        let batch: LineBatch
        if case .file(let span) = redo.place {
            guard let read = spans.lines(of: span, origin: origin, time: redo.time) else { return nil }
            batch = read
        } else {
            batch = LineBatch(origin, capacity: redo.lines.reduce(0) { $0 + $1.count }, time: redo.time)
            for line in redo.lines { line.withUnsafeBufferPointer { batch.append(ByteSlice($0)) } }
        }
        batch.isLate = redo.isLate
        batch.place = redo.place
        return batch
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
