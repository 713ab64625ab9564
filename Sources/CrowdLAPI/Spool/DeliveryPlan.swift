internal import CrowdCore

/// What the spool sends next, and what becomes of an answer.
///
/// (1) Alerts leave in order, except one that the server keeps failing on: it goes to the back.
/// (2) `limit` halves while a batch is refused and doubles with each success, so one bad alert among n is found in
///     log2(n) requests and costs the others nothing but those.
/// (3) An alert is given up only when it was refused alone: at once if the refusal is about the alert (400, 413, 422, a
///     validation failure), after `patience` tries if the server failed (5xx) while it took others in between.
/// (4) Time is the caller's; the plan only says how long to wait.
///
/// ```
///         ┌──accepted──► forget            limit × 2, no wait
/// send ───┤──refused───► limit / 2 … 1 ──► dead letter
///         ├──failed────► limit / 2 … 1 ──► to the back, wait
///         └──away──────► keep, wait        1 s × 2 … 60 s
/// ```
struct DeliveryPlan: Equatable {
    /// What came back for the batch that was sent.
    enum Outcome: Equatable {
        case accepted
        /// The server will never take it.
        case refused(status: Int, message: String)
        /// The server broke over it.
        case failed(status: Int, message: String)
        /// No server, or it refuses us.
        case away
    }

    enum Verdict: Equatable {
        /// The batch is done with.
        case forget
        /// Try again after this long.
        case retry(after: GoDuration)
        /// The batch's only alert goes to the dead letters.
        case giveUp(status: Int, message: String)
    }

    static let maxBatch = 200
    static let patience = 5
    static let longestWait = GoDuration.seconds(60)

    private(set) var limit = maxBatch
    private var misses = 0
    private var acceptedSoFar = 0
    /// Server failures of alerts that were sent alone: how many, and what had been accepted before the first.
    private var failures: [UInt64: (count: Int, acceptedBefore: Int)] = [:]

    /// - Parameters:
    ///   - batch: sequences of what was sent, never empty.
    ///   - random: 0..<1, spreads the waiting of many agents.
    mutating func outcome(_ outcome: Outcome, for batch: [UInt64], random: Double) -> Verdict {
        switch outcome {
        case .accepted:
            misses = 0
            acceptedSoFar += batch.count
            limit = min(Self.maxBatch, limit * 2)
            for sequence in batch { failures[sequence] = nil }
            return .forget
        case .refused(let status, let message):
            guard batch.count == 1 else { return shrink(batch.count) }
            failures[batch[0]] = nil
            return .giveUp(status: status, message: message)
        case .failed(let status, let message):
            if batch.count > 1 { return shrink(batch.count) }
            return failedAlone(batch[0], status: status, message: message, random: random)
        case .away: return wait(random)
        }
    }

    private mutating func shrink(_ count: Int) -> Verdict {
        limit = max(1, count / 2)
        return .retry(after: .zero)
    }

    private mutating func failedAlone(
        _ sequence: UInt64, status: Int, message: String, random: Double
    ) -> Verdict {
        var record = failures[sequence] ?? (0, acceptedSoFar)
        record.count += 1
        failures[sequence] = record
        guard record.count >= Self.patience && acceptedSoFar > record.acceptedBefore else { return wait(random) }
        failures[sequence] = nil
        return .giveUp(status: status, message: message)
    }

    /// 1 s, doubled each time up to a minute, spread by half.
    private mutating func wait(_ random: Double) -> Verdict {
        let seconds = min(Self.longestWait.seconds, Double(1 << min(misses, 6)))
        misses += 1
        return .retry(after: GoDuration(nanoseconds: Int64(seconds * (0.75 + random / 2) * 1e9)))
    }

    static func == (a: DeliveryPlan, b: DeliveryPlan) -> Bool {
        a.limit == b.limit && a.misses == b.misses && a.acceptedSoFar == b.acceptedSoFar
    }
}

extension DeliveryPlan.Outcome {
    init(_ error: LAPIError) {
        switch error {
        case .unreachable, .credentials, .badAnswer: self = .away
        case .refused(let status, _) where [408, 429, 502, 503, 504].contains(status): self = .away
        case .refused(let status, let message):
            let isAboutTheAlert = [400, 413, 422].contains(status) || message.hasPrefix("validation failure")
            self =
                isAboutTheAlert ? .refused(status: status, message: message) : .failed(status: status, message: message)
        }
    }
}
