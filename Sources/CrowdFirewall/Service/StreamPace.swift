internal import CrowdCore

/// When the next stream request goes out, and of which kind.
///
/// (1) Everything is asked for until that has worked once, again after a long silence (the server may have forgotten what
///     it had not told) or every `resyncInterval`, and otherwise only changes.
/// (2) A server that granted a hold is asked again at once: it answers when something changes. A plain one is polled.
/// (3) A server that grants holds but answers nothing quickly, again and again, is polled too.
/// (4) Failures wait from a second, doubled up to the update frequency or ten seconds, whichever is longer.
struct StreamPace: Equatable, Sendable {
    /// After this, changes may be lost on the server: expired decisions are not kept for ever.
    static let longSilence: Deadline = 600_000

    let updateFrequency: GoDuration
    /// Zero: only after a long silence.
    var resyncInterval = GoDuration.zero
    private var lastAnswer: Deadline?
    private var lastComplete: Deadline?
    private var failures = 0

    init(updateFrequency: GoDuration, resyncInterval: GoDuration = .zero) {
        self.updateFrequency = updateFrequency
        self.resyncInterval = resyncInterval
    }

    func wantsEverything(at now: Deadline) -> Bool {
        guard let lastAnswer, let lastComplete else { return true }
        let interval = resyncInterval.nanoseconds / 1_000_000
        // Who polls seldom is not silent.
        let silence = max(Self.longSilence, 2 * updateFrequency.nanoseconds / 1_000_000)
        return now - lastAnswer >= silence || (interval > 0 && now - lastComplete >= interval)
    }

    /// Bans were changed on our own account: the next answer must be complete.
    mutating func forget() { lastComplete = nil }

    /// - Parameters:
    ///   - isHeld: the answer carried a granted hold.
    ///   - isEmpty: nothing new, nothing deleted.
    ///   - wasEverything: the complete list was asked for.
    ///   - took: from request to answer.
    ///   - random: 0..<1, spreads many bouncers.
    mutating func answered(
        isHeld: Bool, isEmpty: Bool, wasEverything: Bool, took: GoDuration, at now: Deadline, random: Double
    ) -> GoDuration {
        failures = 0
        lastAnswer = now
        if wasEverything {
            lastComplete = now
            return .zero
        }
        if isHeld && !(isEmpty && took < .milliseconds(500)) { return .zero }
        return spread(updateFrequency, random, by: 0.1)
    }

    mutating func failed(random: Double) -> GoDuration {
        let longest = max(updateFrequency, .seconds(10))
        let wait = min(longest, .seconds(1 << Int64(min(failures, 6))))
        failures += 1
        return spread(wait, random, by: 0.5)
    }

    private func spread(_ duration: GoDuration, _ random: Double, by share: Double) -> GoDuration {
        GoDuration(nanoseconds: Int64(Double(duration.nanoseconds) * (1 - share / 2 + share * random)))
    }
}
