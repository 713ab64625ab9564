import CrowdCore
import Logging
import Synchronization

/// Logs failures of one kind at most once a second, with the number of those it kept to itself: a full disk must not be
/// filled further by its own message.
final class FailureLog: Sendable {
    private let state = Mutex((second: Int64(0), suppressed: 0))

    func error(_ message: String, to logger: Logger, now: Timestamp = .now()) {
        let suppressed = state.withLock { state -> Int? in
            guard state.second != now.seconds else {
                state.suppressed += 1
                return nil
            }
            defer { state = (now.seconds, 0) }
            return state.suppressed
        }
        guard let suppressed else { return }
        logger.error("\(message)\(suppressed > 0 ? " repeated=\(suppressed)" : "")")
    }
}
