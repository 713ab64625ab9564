import CrowdCore
import Glibc
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// Keeps the number of open connections below what the process may have open at all: the database and the log need
/// descriptors too, and a listener without one left turns in circles.
final class ConnectionLimit: Sendable {
    struct Exceeded: Error {}

    /// Descriptors left to everything else.
    private static let reserve = 128

    let most: Int
    private let open = Atomic<Int>(0)
    /// Second of the last refusal; zero is never.
    private let refused = Atomic<Int64>(0)

    init(most: Int) { self.most = most }

    /// As many as the system allows, which is asked to allow what it can.
    convenience init() {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var allowed: rlim_t = 1024
        if getrlimit(files, &limit) == 0 {
            allowed = limit.rlim_cur
            limit.rlim_cur = limit.rlim_max
            if setrlimit(files, &limit) == 0 { allowed = limit.rlim_max }
        }
        self.init(most: max(64, Int(clamping: allowed) - Self.reserve))
    }

    var count: Int { open.load(ordering: .relaxed) }

    /// nil when none was refused yet.
    var secondsSinceRefusal: Int64? {
        let second = refused.load(ordering: .relaxed)
        return second == 0 ? nil : Timestamp.now().seconds - second
    }

    /// Counts a connection until it is closed; false when there are too many.
    func admits(_ channel: any Channel) -> Bool {
        guard open.add(1, ordering: .relaxed).newValue <= most else {
            open.subtract(1, ordering: .relaxed)
            refused.store(Timestamp.now().seconds, ordering: .relaxed)
            return false
        }
        channel.closeFuture.whenComplete { [self] _ in open.subtract(1, ordering: .relaxed) }
        return true
    }
}

/// Closes connections beyond a limit before anything is read from them, and those that cannot be set up: nobody else
/// would, and each holds a descriptor until then.
struct LimitedChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let limit: ConnectionLimit

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        let ready =
            limit.admits(channel)
            ? base.setup(channel: channel, logger: logger)
            : channel.eventLoop.makeFailedFuture(ConnectionLimit.Exceeded())
        ready.whenFailure { _ in channel.close(promise: nil) }
        return ready
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
