public import CrowdCore
internal import Glibc
public import Logging
internal import Synchronization

/// Alerts between the engine and the Local API: in order, sent at once, and on the disk before anything relies on it.
///
/// An alert comes into memory. While the Local API answers it goes from there and is never written; `secure` writes what
/// is left of them, with one sync, before the place moves on from which its lines would be read again. The spool does so by
/// itself as soon as a request fails, an alert waits for longer than `mostPatience` or they are more than `maxFreshBytes`.
///
/// It leaves the spool in one of three ways only: the Local API has answered 201 to the request it was in; it was refused
/// for good and is in the dead-letter file with the reason; or the spool was full and it was the oldest (counted and
/// logged). Being sent twice is possible (the answer was lost) and harmless: the alert's uuid is the same.
///
/// ```
/// append ──► fresh ──(answered)──────────────────────────► gone, `accounted` is told
///              └──(secure, failure, age, room)──► entries ──(answered)──► gone
///                         `accounted` is told ◄──┘
/// ```
///
/// One request is under way at a time; what arrives meanwhile goes with the next one. `append` may be called from any
/// thread; it never waits for the network.
public final class AlertSpool: Sendable {
    public struct Settings: Sendable {
        /// Made if missing; holds `alerts.spool` and `refused-alerts.jsonl`.
        public var directory: String
        /// Oldest alerts are dropped beyond this.
        public var maxBytes = 256 * 1024 * 1024
        /// Longest request body, unless a single alert is longer: two hundred alerts, enough for what a request and a sync at
        /// the Local API cost.
        public var maxRequestBytes = 512 * 1024
        /// Most that is in memory only; while the disk refuses to be written, oldest alerts are dropped beyond it.
        public var maxFreshBytes = 4 * 1024 * 1024

        public init(directory: String) { self.directory = directory }
    }

    /// An alert that is not on the disk.
    struct Fresh {
        var sequence: UInt64
        var alert: EncodedAlert
        var since: Timestamp
    }

    struct State: ~Copyable {
        var journal: SpoolJournal
        /// On the disk: older than any fresh one.
        var entries: [SpoolJournal.Entry]
        var fresh: [Fresh] = []
        var freshBytes = 0
        /// The disk refuses to be written.
        var isDiskBad = false
        var accounted: @Sendable ([String]) -> Void = { _ in }

        var count: Int { entries.count + fresh.count }
    }

    /// An alert that has not been answered for so long is written.
    static let mostPatience = GoDuration.seconds(1)

    let settings: Settings
    let deadLetters: DeadLetters
    let log: Logger
    let counters: SpoolCounters
    let state: Mutex<State>
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    /// Opens the spool and finds what an earlier process left.
    public init(_ settings: Settings, metrics: Metrics, log: Logger) throws(SpoolError) {
        self.settings = settings
        self.log = log
        counters = SpoolCounters(metrics)
        deadLetters = DeadLetters(path: settings.directory + "/refused-alerts.jsonl")
        mkdir(settings.directory, 0o700)
        var found: (entries: [SpoolJournal.Entry], damagedBytes: Int) = ([], 0)
        let journal = try SpoolJournal(path: settings.directory + "/alerts.spool", recovered: &found)
        counters.set(alerts: found.entries.count, bytes: journal.bytes)
        state = Mutex(State(journal: journal, entries: found.entries))
        (arrivals, arrived) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        if found.damagedBytes > 0 {
            log.warning("Alert spool had an unfinished record", metadata: ["bytes": "\(found.damagedBytes)"])
        }
        if !found.entries.isEmpty {
            log.info("Alerts of an earlier run will be sent", metadata: ["count": "\(found.entries.count)"])
            arrived.yield()
        }
    }

    /// From now on `body` is told the uuids of alerts that are answered or on the disk, on the thread where it happens.
    ///
    /// What raised those alerts may be gone through again without raising them again. It must not call the spool.
    public func whenAccounted(_ body: @escaping @Sendable ([String]) -> Void) {
        state.withLock { $0.accounted = body }
    }

    /// Keeps alerts until the Local API has taken them.
    public func append(_ alerts: [EncodedAlert]) {
        guard !alerts.isEmpty else { return }
        let now = Timestamp.now()
        state.withLock { state in
            for alert in alerts {
                state.fresh.append(Fresh(sequence: state.journal.takeSequence(), alert: alert, since: now))
                state.freshBytes += SpoolRecord.size(of: alert)
            }
            if state.freshBytes > settings.maxFreshBytes, !write(&state) { shedFresh(&state) }
            publishCount(state)
        }
        arrived.yield()
    }

    /// Writes what is in memory only.
    ///
    /// - Returns: false if the disk did not take it: what raised these alerts must not be forgotten.
    @discardableResult public func secure() -> Bool { state.withLock { write(&$0) } }

    /// Writes what is in memory only if the Local API keeps the oldest of it waiting; to be called now and then.
    public func secureWhatWaits(at now: Timestamp) {
        state.withLock { state in
            guard let oldest = state.fresh.first, now - oldest.since > Self.mostPatience else { return }
            // A disk that refuses is asked again when room runs out, by the next checkpoint, or by the next failed request.
            if !state.isDiskBad { _ = write(&state) }
        }
    }

    /// The uuids of all alerts that wait, those on the disk read back: for a start.
    public var waiting: Set<String> {
        state.withLock { state in
            Set(state.entries.compactMap { state.journal.read($0)?.uuid } + state.fresh.map(\.alert.uuid))
        }
    }

    /// How many alerts wait.
    public var count: Int { state.withLock { $0.count } }

    /// Waits until everything is sent, for shutdown; false if the time was too short (the rest stays on disk).
    public func waitUntilEmpty(within limit: GoDuration) async -> Bool {
        let end = Timestamp.now() + limit
        while count > 0 {
            guard Timestamp.now() < end, (try? await Task.sleep(for: .milliseconds(20))) != nil else { return false }
        }
        return true
    }

    /// Wakes the sender; each element stands for any number of arrivals.
    var wakeUps: AsyncStream<Void> { arrivals }
}

/// The spool's metrics, resolved once.
struct SpoolCounters: Sendable {
    let alerts: Gauge
    let bytes: Gauge
    let written: Counter
    let sent: Counter
    let refused: Counter
    let shed: Counter

    init(_ metrics: Metrics) {
        alerts = metrics.gauge(.spoolAlerts)
        bytes = metrics.gauge(.spoolBytes)
        written = metrics.counter(.spoolWritten)
        sent = metrics.counter(.spoolSent)
        refused = metrics.counter(.spoolRefused)
        shed = metrics.counter(.spoolShed)
    }

    func set(alerts count: Int, bytes size: Int) {
        alerts.set(count)
        bytes.set(size)
    }
}
