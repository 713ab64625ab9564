public import CrowdCore
internal import Glibc
public import Logging
import Synchronization

/// Where log lines come from: a file, the journal, a socket, a queue.
///
/// `run` blocks a thread of its own until the input ends or `stop` is set, and puts batches into the queue, which makes
/// it wait while the engine is behind. Throwing asks to be restarted: retry and back-off belong to the supervisor.
public protocol DataSource: Sendable {
    /// For people: `file:/var/log/auth.log`.
    var name: String { get }
    /// `evt.Line.Module`: which kind of source it is.
    var module: String { get }
    /// It ends by itself once all is read.
    var isFinite: Bool { get }
    /// What is written from now on will be read: nothing that happens after it is missed.
    var hasBegun: Bool { get }
    func run(into queue: LineQueue, until stop: StopFlag) throws
}

/// Set once, when sources are to end.
public final class StopFlag: Sendable {
    private let flag = Atomic(false)
    public init() {}
    public var isSet: Bool { flag.load(ordering: .acquiring) }
    public func set() { flag.store(true, ordering: .releasing) }
}

/// What a data source may touch beyond its own configuration.
public struct AcquisitionContext: Sendable {
    public var metrics: Metrics
    public var log: Logger
    /// Where files were left, at the last reload or by an earlier agent.
    public var positions: FilePositions
    public var cursors: SourceCursors

    public init(
        metrics: Metrics, log: Logger, positions: FilePositions = FilePositions(),
        cursors: SourceCursors = SourceCursors()
    ) {
        self.metrics = metrics
        self.log = log
        self.positions = positions
        self.cursors = cursors
    }

    /// The same with a logger of this level; nil leaves it.
    func logging(at level: LogLevel?) -> AcquisitionContext {
        guard let level else { return self }
        var other = self
        other.log.logLevel = level.loggerLevel
        return other
    }
}

/// Runs data sources, each on a thread of its own, and starts one that failed again after a while.
public final class SourceSupervisor: Sendable {
    private let sources: [any DataSource]
    private let queue: LineQueue
    private let log: Logger
    public let stop = StopFlag()
    private let running: Atomic<Int>
    private let firstFailure = Mutex<(any Error)?>(nil)
    /// Why a source that reads once could not.
    public var failure: (any Error)? { firstFailure.withLock { $0 } }

    public init(_ sources: [any DataSource], into queue: LineQueue, log: Logger) {
        self.sources = sources
        self.queue = queue
        self.log = log
        running = Atomic(sources.count)
    }

    /// - Parameter finished: called once when every source has ended by itself or was stopped.
    public func start(finished: @escaping @Sendable () -> Void) {
        if sources.isEmpty { return finished() }
        for source in sources {
            PlainThread.start("source") { [self] in
                keepRunning(source)
                if running.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { finished() }
            }
        }
    }

    /// Waits until every source reads, at most so long: a log line written after that is not missed.
    public func waitUntilBegun(milliseconds: Int) {
        for _ in 0..<(milliseconds / 5) where !sources.allSatisfy(\.hasBegun) { usleep(5_000) }
    }

    private func keepRunning(_ source: any DataSource) {
        var delay = 1
        while !stop.isSet {
            do {
                try source.run(into: queue, until: stop)
                return
            } catch {
                if source.isFinite {
                    firstFailure.withLock { $0 = $0 ?? error }
                    return log.error("A data source failed. source=\(source.name) error=\"\(error)\"")
                }
                log.error(
                    "A data source failed and is started again. source=\(source.name) in=\(delay)s error=\"\(error)\"")
            }
            for _ in 0..<(delay * 10) where !stop.isSet { usleep(100_000) }
            delay = min(delay * 2, 60)
        }
    }
}
