import Glibc

/// Jobs handed to one or more threads. `@unchecked Sendable`: the three variables are touched only with `mutex` held, and the
/// two pointers never change between `init` and `deinit`.
final class JobQueue<Job: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [Job] = []
    private var isClosed = false
    private var isWoken = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrived, nil)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        mutex.deallocate()
    }

    /// False when the queue is closed: the job was not taken.
    func push(_ job: Job) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        jobs.append(job)
        pthread_cond_signal(arrived)
        return true
    }

    /// Lets `take` return although there may be no job.
    func wake() {
        pthread_mutex_lock(mutex)
        isWoken = true
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
    }

    /// Waits for jobs and takes up to `limit`; empty when none came in time or `wake` was called, nil when closed and
    /// drained.
    func take(limit: Int, waitMilliseconds: Int) -> [Job]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if jobs.isEmpty && !isClosed && !isWoken {
            var deadline = timespec()
            clock_gettime(CLOCK_REALTIME, &deadline)
            let nanoseconds = deadline.tv_nsec + waitMilliseconds % 1000 * 1_000_000
            deadline.tv_sec += waitMilliseconds / 1000 + nanoseconds / 1_000_000_000
            deadline.tv_nsec = nanoseconds % 1_000_000_000
            while jobs.isEmpty && !isClosed && !isWoken {
                if pthread_cond_timedwait(arrived, mutex, &deadline) == ETIMEDOUT { break }
            }
        }
        isWoken = false
        if jobs.isEmpty { return isClosed ? nil : [] }
        let taken = Array(jobs.prefix(limit))
        jobs.removeFirst(taken.count)
        return taken
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(arrived)
        pthread_mutex_unlock(mutex)
    }
}
