internal import CrowdCore

/// When the next stream request goes out, and of which kind.
///
/// (1) Everything is asked for until that has worked once, then only changes.
/// (2) A server that granted a hold is asked again at once: it answers when something changes. A plain one is polled.
/// (3) A server that grants holds but answers nothing quickly, again and again, is polled too.
/// (4) Failures wait from a second, doubled up to the update frequency or ten seconds, whichever is longer.
struct StreamPace: Equatable, Sendable {
    let updateFrequency: GoDuration
    private(set) var wantsEverything = true
    private var failures = 0

    init(updateFrequency: GoDuration) { self.updateFrequency = updateFrequency }

    /// - Parameters:
    ///   - isHeld: the answer carried a granted hold.
    ///   - isEmpty: nothing new, nothing deleted.
    ///   - took: from request to answer.
    ///   - random: 0..<1, spreads many bouncers.
    mutating func answered(isHeld: Bool, isEmpty: Bool, took: GoDuration, random: Double) -> GoDuration {
        failures = 0
        if wantsEverything {
            wantsEverything = false
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
