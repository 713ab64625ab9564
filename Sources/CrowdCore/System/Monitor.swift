internal import Glibc

/// A lock with waiting: what threads outside Swift's pool meet at.
///
/// State that it guards is looked at and changed within `locked`, where one may also wait for others to change it.
public final class Monitor: @unchecked Sendable {
    // Sendable: both are made for use by many threads, and never move.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// Who is to look again whether what he waits for has come.
    public enum Waking {
        case all
        case none
    }

    /// Runs `body` with the lock held, then wakes those who wait.
    public func locked<R>(waking: Waking = .all, _ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer {
            switch waking {
            case .all: pthread_cond_broadcast(changed)
            case .none: break
            }
            pthread_mutex_unlock(mutex)
        }
        return body()
    }

    /// Within `locked`, where only some ways through it leave something to wake somebody for. Enough where all who wait do so
    /// for the same, and one can take it.
    public func wakeOne() { pthread_cond_signal(changed) }

    /// Within `locked`: lets the lock go until `condition` holds, or until the milliseconds are over.
    ///
    /// - Returns: whether the condition holds.
    @discardableResult
    public func wait(within milliseconds: Int? = nil, until condition: () -> Bool) -> Bool {
        guard let milliseconds else {
            while !condition() { pthread_cond_wait(changed, mutex) }
            return true
        }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + (milliseconds % 1_000) * 1_000_000
        deadline.tv_sec += milliseconds / 1_000 + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        while !condition() {
            if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { return condition() }
        }
        return true
    }
}
