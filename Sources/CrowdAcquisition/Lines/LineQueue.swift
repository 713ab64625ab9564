internal import Glibc

/// Batches on their way from data sources to the engine. Bounded: a source that is too fast waits.
public final class LineQueue: @unchecked Sendable {
    // Sendable: every access to the state below holds the mutex.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var batches: [LineBatch] = []
    private var bytes = 0
    private var isClosed = false
    private let maxBytes: Int
    private let maxBatches: Int

    /// What `take` found.
    public enum Taken {
        case batch(LineBatch)
        /// Nothing came within the time given.
        case nothing
        /// Closed, and all batches were taken.
        case closed
    }

    public init(maxBytes: Int = 4 * 1024 * 1024, maxBatches: Int = 1_024) {
        self.maxBytes = maxBytes
        self.maxBatches = maxBatches
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

    /// Waits while the queue is full. False when the queue was closed and the batch was not taken.
    public func put(_ batch: LineBatch) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isClosed, bytes > maxBytes || batches.count >= maxBatches { pthread_cond_wait(changed, mutex) }
        guard !isClosed else { return false }
        batches.append(batch)
        bytes += batch.byteCount
        pthread_cond_broadcast(changed)
        return true
    }

    /// Takes the batch if there is room now; for sources that cannot wait.
    public func offer(_ batch: LineBatch) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed, bytes <= maxBytes, batches.count < maxBatches else { return false }
        batches.append(batch)
        bytes += batch.byteCount
        pthread_cond_broadcast(changed)
        return true
    }

    /// The next batch, waiting for at most `milliseconds`.
    public func take(within milliseconds: Int) -> Taken {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + (milliseconds % 1_000) * 1_000_000
        deadline.tv_sec += milliseconds / 1_000 + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        while batches.isEmpty, !isClosed {
            if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { break }
        }
        guard !batches.isEmpty else { return isClosed ? .closed : .nothing }
        let batch = batches.removeFirst()
        bytes -= batch.byteCount
        pthread_cond_broadcast(changed)
        return .batch(batch)
    }

    /// No more batches are accepted; those inside can still be taken.
    public func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}
