internal import CrowdCore

/// When a machine's request is tried again (protocol facts E): 401 and 403 up to twice each with a fresh token, 429, 503
/// and 504 up to five times, anything else never. One value per request; time is the caller's.
struct RetryPolicy: Equatable, Sendable {
    enum Step: Equatable {
        case giveUp
        case retry(after: GoDuration, freshToken: Bool)
    }

    private var unauthorized = 0
    private var forbidden = 0
    private var busy = 0

    mutating func step(afterStatus status: Int) -> Step {
        switch status {
        case 401:
            unauthorized += 1
            return unauthorized <= 2 ? .retry(after: .zero, freshToken: true) : .giveUp
        case 403:
            forbidden += 1
            return forbidden <= 2 ? .retry(after: .zero, freshToken: true) : .giveUp
        case 429, 503, 504:
            busy += 1
            return busy <= 5 ? .retry(after: .seconds(Int64(2 * busy + 5)), freshToken: false) : .giveUp
        default: return .giveUp
        }
    }
}
