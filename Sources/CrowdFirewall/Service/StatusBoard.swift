internal import CrowdCore
internal import CrowdLAPI
internal import Logging
internal import Synchronization

/// What a bouncer remembers for those who ask how it is.
final class StatusBoard: Sendable {
    private struct State {
        var status = BouncerStatus()
        /// When the Local API last answered, or the bouncer started.
        var heard = MonotonicClock.now()
        /// Bans were prolonged on our own account.
        var holds = false
        var cannotSave = false
    }

    private let state = Mutex(State())

    var current: BouncerStatus { state.withLock { $0.status } }

    func answered() {
        state.withLock { state in
            state.status.lastAnswer = .now()
            state.status.trouble = nil
            state.status.isAway = false
            state.heard = MonotonicClock.now()
        }
    }

    func failed(_ trouble: String) { state.withLock { $0.status.trouble = trouble } }

    /// Whether the Local API has been silent for that long.
    func looks(awayAfter limit: GoDuration) -> Bool {
        state.withLock { state in
            state.status.isAway = MonotonicClock.now() - state.heard >= limit.nanoseconds / 1_000_000
            return state.status.isAway
        }
    }

    func holds() { state.withLock { $0.holds = true } }

    /// Whether bans were prolonged since this was last asked.
    func hasHeld() -> Bool {
        state.withLock { state in
            defer { state.holds = false }
            return state.holds
        }
    }

    func saved() {
        state.withLock { state in
            state.status.lastSnapshot = .now()
            state.cannotSave = false
        }
    }

    /// True the first time in a row.
    func failsToSave() -> Bool {
        state.withLock { state in
            defer { state.cannotSave = true }
            return !state.cannotSave
        }
    }

    /// - Parameter isFirst: what changed is no repair.
    func verified(_ result: Verification, isFirst: Bool = false) {
        state.withLock { state in
            state.status.lastVerified = .now()
            state.status.refused = result.refused
            state.status.cause = result.cause
            (state.status.decided, state.status.enforced) = (result.decided, result.enforced)
            if !isFirst { state.status.repaired += result.repaired }
        }
    }
}

extension FirewallBouncer {
    /// Figures of this moment: the kernel is read, nothing is changed.
    func status() async -> BouncerStatus {
        var status = board.current
        let found = await enforcer.inspect()
        (status.decided, status.enforced, status.drift) = (found.decided, found.enforced, found.drift)
        status.cause = found.cause ?? status.cause
        status.refused = max(status.refused, found.refused)
        status.hasDecisions = await enforcer.hasDecisions
        status.localAPI = client.address
        return status
    }

    /// Answers `crowd-bouncer status`; nil, with a line in the log, when there is no place for it.
    func openStatusSocket() -> StatusSocket? {
        do throws(ConfigError) {
            return try StatusSocket(path: config.statusSocket) { Completion.wait { await status().json } }
        } catch {
            log.warning("crowd-bouncer status will not find this bouncer", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
