internal import Glibc

/// Signals as events, without handlers.
///
/// Make it first thing in `main`, before any other thread exists: the signals are blocked in this thread and in those
/// that come after it, and are taken out by waiting for them. SIGPIPE is ignored.
public struct SignalEvents: Sendable {
    public enum Event: Sendable, Equatable {
        /// SIGTERM or SIGINT.
        case terminate
        /// SIGHUP.
        case reload
    }

    public init() {
        signal(SIGPIPE, SIG_IGN)
        var set = Self.watched
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Blocks the calling thread until the next signal.
    public func next() -> Event {
        var set = Self.watched
        while true {
            var number: Int32 = 0
            guard sigwait(&set, &number) == 0 else { continue }
            return number == SIGHUP ? .reload : .terminate
        }
    }

    /// Waits no longer than `milliseconds`; `nil` when the time is over.
    public func next(within milliseconds: Int) -> Event? {
        var set = Self.watched
        var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: (milliseconds % 1000) * 1_000_000)
        let number = sigtimedwait(&set, nil, &time)
        guard number > 0 else { return nil }
        return number == SIGHUP ? .reload : .terminate
    }

    /// The signals from now on, waited for on a thread of its own. Use either this or `next`, once.
    public func stream() -> AsyncStream<Event> {
        AsyncStream { continuation in
            PlainThread.start("signals", stackBytes: 64 * 1024) {
                while true { continuation.yield(next()) }
            }
        }
    }

    /// Undoes the blocking in a child process, between fork and exec; safe to call there.
    public static func unblockInChild() {
        var set = watched
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static var watched: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        return set
    }
}
