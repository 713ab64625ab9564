import CrowdCore
import Logging

/// How far a source is behind what is there to be read: its gauges, and a word when it is too far.
///
/// `cs_source_lag_seconds` is the time since all that was there had been read, so that a log which grows faster than it is
/// parsed shows however little of it is left. Belongs to the source's thread.
struct SourceLag {
    /// Longer than this, and the operator is told.
    static let tolerable = GoDuration.seconds(30)
    private static let interval = GoDuration.seconds(1)

    private let source: String
    private let log: Logger
    private let bytes: Gauge
    private let seconds: Gauge
    private let behind: Gauge
    private var caughtUp: Timestamp
    private var reported: Timestamp
    private(set) var isBehind = false

    init(_ source: String, module: String, type: String, _ context: AcquisitionContext, now: Timestamp = .now()) {
        self.source = source
        log = context.log
        let labels = [("source", source), ("datasource_type", module), ("acquis_type", type)]
        bytes = context.metrics.gauge(.sourceLagBytes, labels)
        seconds = context.metrics.gauge(.sourceLagSeconds, labels)
        behind = context.metrics.gauge(.sourceBehind, labels)
        (caughtUp, reported) = (now, now)
    }

    /// All that was there has been read.
    mutating func isAtEnd(now: Timestamp = .now()) {
        caughtUp = now
        guard bytes.value > 0 || seconds.value > 0 || isBehind else { return }
        bytes.set(0)
        seconds.set(0)
        behind.set(0)
        if isBehind { log.info("A source has caught up. source=\(source)") }
        isBehind = false
    }

    /// There is more to be read; `left` is asked once a second.
    mutating func isReading(now: Timestamp = .now(), left: () -> Int64) {
        guard now - reported >= Self.interval else { return }
        reported = now
        let left = left()
        let lag = now - caughtUp
        bytes.set(Int(left))
        seconds.set(max(lag.seconds, 0))
        guard lag > Self.tolerable, !isBehind else { return }
        isBehind = true
        behind.set(1)
        log.warning(
            "A source is written faster than it is parsed. source=\(source) bytes_behind=\(left) seconds_behind=\(Int(lag.seconds))"
        )
    }
}
