import CrowdAcquisition
import CrowdCore
import CrowdEngine
import CrowdLAPI
import Logging
import Synchronization

/// The engine's thread: takes batches of lines, runs them through the worker, hands alerts to the spool.
///
/// Everything here belongs to that one thread but for `replace`, which leaves new content for it to find.
final class EngineLoop: WorkerObserver, @unchecked Sendable {
    // Sendable: `worker`, `metrics` and `outgoing` are touched by the loop's thread only; `pending` locks.
    private static let sweepMilliseconds = 100

    private let queue: LineQueue
    /// nil when alerts are only printed.
    private let spool: AlertSpool?
    private let registry: Metrics
    private let log: Logger
    private let pending = Mutex<Content?>(nil)
    private var content: Content
    private var worker: Worker?
    private var metrics: EngineMetrics
    private var outgoing: [EncodedAlert] = []
    private var raisedCount = 0
    private var lastSweep = Timestamp(nanoseconds: 0)
    private var lastGauges = Timestamp(nanoseconds: 0)

    init(_ content: Content, queue: LineQueue, spool: AlertSpool?, metrics: Metrics, log: Logger) {
        self.content = content
        self.queue = queue
        self.spool = spool
        self.log = log
        registry = metrics
        self.metrics = EngineMetrics(metrics, content: content)
    }

    /// What a finished run amounts to.
    struct Summary: Sendable {
        var lines = Worker.LineCounts()
        var alerts = 0
    }

    /// From the next batch on lines are judged by this content. Buckets of the old one end.
    func replace(_ content: Content) { pending.withLock { $0 = content } }

    /// Runs until the queue is closed and empty.
    func run() -> Summary {
        worker = Worker(content, observer: self)
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
        }
        return Summary(lines: worker?.counts ?? .init(), alerts: raisedCount)
    }

    private func takeNewContent() {
        let next = pending.withLock { pending in
            defer { pending = nil }
            return pending
        }
        guard let next else { return }
        content = next
        worker = Worker(next, observer: self)
        metrics = EngineMetrics(registry, content: next)
    }

    private func process(_ batch: LineBatch) {
        guard let worker else { return }
        batch.withEachLine { worker.process($0, from: batch.origin, at: batch.time) }
        metrics.publish(worker, origin: batch.origin)
    }

    private func sweep() {
        let now = Timestamp.now()
        guard let worker, now - lastSweep >= .milliseconds(Int64(Self.sweepMilliseconds)) else { return }
        lastSweep = now
        worker.sweep(at: now)
        guard now - lastGauges >= .seconds(1) else { return }
        lastGauges = now
        metrics.publishGauges(worker)
    }

    private func send() {
        guard let spool, !outgoing.isEmpty else { return }
        do {
            try spool.append(outgoing)
            outgoing.removeAll(keepingCapacity: true)
        } catch {
            // Kept for the next try: the disk may have room again, the Local API may answer.
            log.error("Alerts could not be spooled. count=\(outgoing.count) error=\"\(error)\"")
        }
    }

    // MARK: WorkerObserver

    func raised(_ alerts: [RaisedAlert]) {
        raisedCount += alerts.count
        for alert in alerts {
            log.info("\(alert.header.simulated ? "(simulation) " : "")\(alert.header.message)")
            guard spool != nil else { continue }
            var writer = JSONWriter(capacity: 4_096)
            alert.write(to: &writer)
            outgoing.append(EncodedAlert(uuid: alert.header.uuid, json: writer.bytes))
        }
    }

    func ignored(_ alert: Alert, reason: String) {
        log.info("Overflow ignored, whitelisted by \"\(reason)\": \(alert.message)")
    }

    func failed(scenario: String, _ reason: String) {
        log.error("Scenario failed for an event. scenario=\(scenario) error=\"\(reason)\"")
    }
}
