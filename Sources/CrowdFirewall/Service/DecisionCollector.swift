internal import CrowdCore
internal import CrowdLAPI
internal import Synchronization

/// Turns the stream's decisions into bans while they arrive, compactly. What cannot be used is counted, never lets the
/// rest be lost.
final class DecisionCollector: Sendable {
    /// One answer.
    struct Batch: Sendable {
        var deleted: [Ban] = []
        var new: [Ban] = []
        /// A complete list is collected as what it becomes, at a third of the room.
        var state = DesiredState()
        var otherTypes = 0
        var alreadyOver = 0
        var unreadable = 0
        /// The first few values that are neither address nor range.
        var examples: [String] = []
    }

    private struct State {
        var batch = Batch()
        var origins: OriginTable
        /// When the answer's first decision arrived: durations count from there. The request may have been held long.
        var arrival: Deadline?
    }

    /// A decision's duration that cannot be read counts as this, as in the reference.
    private static let fallback = GoDuration.seconds(4 * 3600)
    /// Durations are told in whole seconds: what rounds to none is over.
    private static let shortest: Deadline = 500
    /// What the kernel takes at most, with room.
    private static let longest: Deadline = 100 * 365 * 86400 * 1000

    private let types: Set<String>
    private let families: [Family]
    private let isComplete: Bool
    private let clock: @Sendable () -> Deadline
    private let state: Mutex<State>

    init(
        types: Set<String>, families: [Family], origins: OriginTable, isComplete: Bool = false,
        clock: @escaping @Sendable () -> Deadline = MonotonicClock.now
    ) {
        self.types = types
        self.families = families
        self.isComplete = isComplete
        self.clock = clock
        state = Mutex(State(origins: origins))
    }

    func take(isDeleted: Bool, _ decision: StreamDecision) {
        state.withLock { state in
            let now = state.arrival ?? clock()
            state.arrival = now
            guard types.contains(decision.type.lowercased()) else {
                state.batch.otherTypes += 1
                return
            }
            guard let range = IPRange(decision.value) else {
                state.batch.unreadable += 1
                if state.batch.examples.count < 3 { state.batch.examples.append(String(decision.value.prefix(80))) }
                return
            }
            let (family, span) = AddressSpan.of(range)
            guard families.contains(family) else { return }
            let left = isDeleted ? Self.longest : remaining(decision.duration)
            guard left > Self.shortest else {
                state.batch.alreadyOver += 1
                return
            }
            let origin = state.origins.number(origin: decision.origin, scenario: decision.scenario)
            let ban = Ban(set: SetID(family: family, origin: origin), span: span, deadline: now + left)
            switch (isComplete, isDeleted) {
            case (true, true): break
            case (true, false): state.batch.state.insertLongest(ban)
            case (false, true): state.batch.deleted.append(ban)
            case (false, false): state.batch.new.append(ban)
            }
        }
    }

    /// What was collected, and the origins with those that are new.
    func finish() -> (batch: Batch, origins: OriginTable) {
        state.withLock { state in
            defer { state.batch = Batch() }
            return (state.batch, state.origins)
        }
    }

    private func remaining(_ duration: String) -> Deadline {
        let parsed = GoDuration(duration) ?? Self.fallback
        return min(parsed.nanoseconds / 1_000_000, Self.longest)
    }
}
