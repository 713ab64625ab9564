public import CrowdCore
internal import Glibc
public import Logging
internal import Synchronization

/// Alerts between the engine and the Local API: durable, in order, sent at once.
///
/// An alert is on the disk when `append` returns. It leaves the spool in one of three ways only: the Local API has
/// answered 201 to the request it was in; it was refused for good and is in the dead-letter file with the reason; or the
/// spool was full and it was the oldest (counted and logged). Being sent twice is possible (the answer was lost, the
/// process was killed before the acknowledgement was written) and harmless: the alert's uuid is the same.
///
/// One request is under way at a time; what arrives meanwhile goes with the next one. `append` may be called from any
/// thread and costs one write and one sync; it never waits for the network.
public final class AlertSpool: Sendable {
    public struct Settings: Sendable {
        /// Made if missing; holds `alerts.spool` and `refused-alerts.jsonl`.
        public var directory: String
        /// Oldest alerts are dropped beyond this.
        public var maxBytes = 256 * 1024 * 1024
        /// Longest request body, unless a single alert is longer.
        public var maxRequestBytes = 4 * 1024 * 1024

        public init(directory: String) { self.directory = directory }
    }

    struct State: ~Copyable {
        var journal: SpoolJournal
        var entries: [SpoolJournal.Entry]
        /// Alerts that the disk did not take: sent first, lost in a crash.
        var unwritten: [EncodedAlert] = []
    }

    /// Alerts kept in memory while the disk is full.
    private static let maxUnwritten = 1000

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

    /// Keeps alerts until the Local API has taken them.
    ///
    /// While the disk refuses to be written they are kept in memory.
    ///
    /// - Throws: `SpoolError` when that room is used up as well; then nothing of `alerts` is kept.
    public func append(_ alerts: [EncodedAlert]) throws(SpoolError) {
        guard !alerts.isEmpty else { return }
        let failure = state.withLock { state in self.keep(alerts, in: &state) }
        arrived.yield()
        if let failure { throw failure }
    }

    /// The uuids of all alerts that wait, each read back from the disk: for a start.
    public var waiting: Set<String> {
        state.withLock { state in
            Set(state.entries.compactMap { state.journal.read($0)?.uuid } + state.unwritten.map(\.uuid))
        }
    }

    /// How many alerts wait.
    public var count: Int { state.withLock { $0.entries.count + $0.unwritten.count } }

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

    private func keep(_ alerts: [EncodedAlert], in state: inout State) -> SpoolError? {
        var shed = 0
        let coming = alerts.reduce(0) { $0 + $1.json.count + $1.uuid.utf8.count + SpoolRecord.headerBytes + 1 }
        while state.journal.bytes + coming > settings.maxBytes, !state.entries.isEmpty {
            let oldest = state.entries.removeFirst()
            state.journal.acknowledge([oldest], left: &state.entries)
            shed += 1
        }
        if shed > 0 {
            counters.shed.add(UInt64(shed))
            log.error("Alert spool is full: oldest alerts dropped", metadata: ["count": "\(shed)"])
        }
        defer { counters.set(alerts: state.entries.count + state.unwritten.count, bytes: state.journal.bytes) }
        do {
            state.entries += try state.journal.append(alerts)
            return nil
        } catch {
            guard state.unwritten.count + alerts.count <= Self.maxUnwritten else { return error }
            log.error("Alerts are kept in memory only", metadata: ["error": "\(error)", "count": "\(alerts.count)"])
            state.unwritten += alerts
            return nil
        }
    }
}

/// The spool's metrics, resolved once.
struct SpoolCounters: Sendable {
    let alerts: Gauge
    let bytes: Gauge
    let sent: Counter
    let refused: Counter
    let shed: Counter

    init(_ metrics: Metrics) {
        alerts = metrics.gauge(.spoolAlerts)
        bytes = metrics.gauge(.spoolBytes)
        sent = metrics.counter(.spoolSent)
        refused = metrics.counter(.spoolRefused)
        shed = metrics.counter(.spoolShed)
    }

    func set(alerts count: Int, bytes size: Int) {
        alerts.set(count)
        bytes.set(size)
    }
}
