internal import CrowdCore
internal import CrowdLAPI
internal import Logging
internal import Synchronization

/// What a bouncer remembers for those who ask how it is.
final class StatusBoard: Sendable {
    private let state = Mutex(BouncerStatus())

    var current: BouncerStatus { state.withLock { $0 } }

    func answered() {
        state.withLock { status in
            status.lastAnswer = .now()
            status.trouble = nil
        }
    }

    func failed(_ trouble: String) { state.withLock { $0.trouble = trouble } }

    /// - Parameter isFirst: what changed is no repair.
    func verified(_ result: Enforcer.Verification, isFirst: Bool = false) {
        state.withLock { status in
            status.lastVerified = .now()
            status.refused = result.refused
            if !isFirst { status.repaired += result.repaired }
        }
    }
}

extension FirewallBouncer {
    /// Figures of this moment: the kernel is read, nothing is changed.
    func status() async -> BouncerStatus {
        var status = board.current
        let found = await enforcer.inspect()
        (status.decided, status.enforced, status.drift) = (found.decided, found.enforced, found.drift)
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
