import CrowdCore
import CrowdEngine
import Logging

/// Reads the log of one container or service into the queue.
///
/// `@unchecked Sendable`: used by one task at a time, and while that waits for an answer by the client's thread that brings
/// it; the two never run at once.
final class DockerReader: @unchecked Sendable {
    /// One that is to be read.
    struct Target: Sendable {
        enum Kind: String, Sendable { case container, service }
        var kind: Kind
        var id: String
        var isTTY: Bool
        var match: DockerSelector.Match
    }

    let target: Target
    private let config: DockerSourceConfig
    private let queue: LineQueue
    private let log: Logger
    private let origin: LineOrigin
    private let hits: Counter
    /// nil when it is read once.
    private let cursorName: String?
    private var cutter: DockerLogCutter
    private var repeats = DockerRepeats()
    private var failure: DockerLogCutter.Failure?
    /// What was written before this is told late.
    private var connected = Timestamp.now()
    private var newest: Timestamp?
    private let lag: Gauge
    private(set) var cursors: DockerCursors

    init(
        _ target: Target, _ cursors: DockerCursors, cursorName: String?, _ config: DockerSourceConfig,
        _ context: AcquisitionContext, into queue: LineQueue
    ) {
        self.target = target
        self.cursors = cursors
        self.cursorName = cursorName
        self.config = config
        self.queue = queue
        log = context.log
        let labels = target.match.labels.map { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
        origin = LineOrigin(
            source: target.match.source, module: "docker", labels: labels ?? config.common.labels,
            isReplay: config.common.isReplay)
        hits = context.metrics.counter(
            .dockerSourceHits,
            [("source", target.match.source), ("datasource_type", "docker"), ("acquis_type", origin.type)])
        lag = context.metrics.gauge(
            .sourceLagSeconds,
            [("source", target.match.source), ("datasource_type", "docker"), ("acquis_type", origin.type)])
        cutter = DockerReader.makeCutter(target, config)
    }

    private static func makeCutter(_ target: Target, _ config: DockerSourceConfig) -> DockerLogCutter {
        DockerLogCutter(
            isTTY: target.isTTY, hasDetails: target.kind == .service, maxLine: config.maxLineBytes)
    }

    /// From the first moment on it is known where to go on.
    func mark() {
        guard let cursorName else { return }
        let marker = LineBatch(origin, capacity: 0)
        marker.place = .cursor(source: cursorName, cursors.text)
        _ = queue.put(marker)
    }

    /// It will never be read again: nothing is to be kept of it.
    func forget() {
        guard let cursorName else { return }
        let marker = LineBatch(origin, capacity: 0)
        marker.place = .cursor(source: cursorName, "")
        _ = queue.put(marker)
    }

    /// Reads until the log ends, the connection breaks or the task is cancelled.
    func read(_ engine: DockerEngine, follows: Bool) async throws {
        connected = Timestamp.now()
        failure = nil
        cutter = Self.makeCutter(target, config)
        repeats = DockerRepeats()
        cursors.expectKnown()
        let request = DockerEngine.LogRequest(
            path: "\(target.kind.rawValue)s/\(target.id)", follows: follows,
            since: cursorName == nil ? config.since : cursors.since, until: config.until, output: config.followsOutput,
            errors: config.followsErrors,
            details: target.kind == .service)
        do {
            try await engine.readLog(request) { [self] in take($0) }
        } catch {
            if let failure { throw failure }
            throw error
        }
    }

    /// On the client's thread. Waits while the queue is full, and with it the engine that sends.
    private func take(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var lines = LineCollector()
        var isLate = false
        do throws(DockerLogCutter.Failure) {
            try cutter.feed(ByteSlice(bytes)) { entry in
                guard isNew(entry), !entry.line.isEmpty else { return }
                if lines.count == 0, let time = entry.time { isLate = time < connected }
                lines.append(entry.line)
            }
        } catch {
            failure = error
        }
        return hand(&lines, isLate: isLate) && failure == nil
    }

    private func isNew(_ entry: DockerLogCutter.Entry) -> Bool {
        guard let time = entry.time else { return true }
        newest = time
        if repeats.isRepeated(entry, at: time) { return false }
        return cursorName == nil || cursors.isNew(time, task: entry.task)
    }

    private func hand(_ lines: inout LineCollector, isLate: Bool) -> Bool {
        guard let batch = lines.batch(origin) else { return true }
        batch.isLate = isLate
        batch.place = cursorName.map { .cursor(source: $0, cursors.text) } ?? .always
        hits.add(UInt64(batch.count))
        defer { noteLag() }
        return queue.put(batch)
    }

    /// The age of the last line; what was written before the connection is no measure.
    private func noteLag() {
        guard let newest, newest > connected else { return lag.set(0) }
        let age = (Timestamp.now() - newest).seconds
        lag.set(age < 1 ? 0 : age)
    }
}
