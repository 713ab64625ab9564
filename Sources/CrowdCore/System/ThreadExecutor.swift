internal import Glibc
internal import Synchronization

/// Runs a task and its children on the thread that waits for them, instead of Swift's pool.
///
/// For a thread of its own whose work is asynchronous inside: nothing else holds it up, and it holds up nothing else.
public final class ThreadExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    /// A pipe: a byte in it wakes the thread.
    private let bell: (listens: Int32, rings: Int32)

    private init() {
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        bell = (ends[0], ends[1])
    }

    deinit {
        close(bell.listens)
        close(bell.rings)
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        var byte: UInt8 = 1
        // A full pipe rings already; without a pipe the thread looks ten times a second.
        _ = write(bell.rings, &byte, 1)
    }

    /// Runs `body` to its end on this thread, which must not be one of Swift's pool.
    ///
    /// - Parameter isCancelled: looked at ten times a second; true cancels the task, which is then still waited for.
    public static func run<Value: Sendable>(
        cancelledBy isCancelled: () -> Bool = { false }, _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let executor = ThreadExecutor()
        let outcome = Completion<Result<Value, any Error>>()
        let task = Task(executorPreference: executor) {
            do {
                outcome.set(.success(try await body()))
            } catch {
                outcome.set(.failure(error))
            }
        }
        var result: Result<Value, any Error>?
        while result == nil {
            if isCancelled() { task.cancel() }
            executor.runJobs(waitingMilliseconds: 100)
            result = outcome.value
        }
        // The task's own end may still be enqueued.
        executor.runJobs(waitingMilliseconds: 0)
        return try (result ?? .failure(CancellationError())).get()
    }

    private func runJobs(waitingMilliseconds: Int32) {
        var waiting = pollfd(fd: bell.listens, events: Int16(POLLIN), revents: 0)
        if poll(&waiting, 1, waitingMilliseconds) > 0 {
            var bytes = [UInt8](repeating: 0, count: 256)
            _ = read(bell.listens, &bytes, bytes.count)
        }
        let due = jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
        for job in due { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
