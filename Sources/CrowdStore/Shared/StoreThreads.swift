import CrowdCore
import Synchronization

/// The calls handed to a store, and the threads that serve them.
final class StoreThreads: Sendable {
    /// Writes taken into one transaction at most.
    static let batch = 256

    let writes = JobQueue<StoreJob>()
    let reads = JobQueue<StoreJob>()
    private let running = Atomic<Int>(0)

    func write<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        afterCommit: @escaping @Sendable (R) -> Void
    ) async throws(StoreError) -> R {
        try await Self.hand(to: writes, body, afterCommit)
    }

    func read<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        try await Self.hand(to: reads, body) { _ in }
    }

    private static func hand<R: Sendable>(
        to queue: JobQueue<StoreJob>, _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        _ afterwards: @escaping @Sendable (R) -> Void
    ) async throws(StoreError) -> R {
        let result: Result<R, StoreError> = await withCheckedContinuation { continuation in
            let job = StoreJob(
                perform: { session throws(StoreError) in
                    let value = try body(session)
                    return {
                        afterwards(value)
                        continuation.resume(returning: .success(value))
                    }
                },
                fail: { continuation.resume(returning: .failure($0)) })
            if !queue.push(job) { job.fail(StoreError(.closed, "the store is closing")) }
        }
        return try result.get()
    }

    /// One read job over one snapshot.
    static func perform(_ job: StoreJob, over connection: any SQLConnection) {
        do {
            let completion = try connection.readTransaction { () throws(StoreError) in try job.perform(connection) }
            completion()
        } catch {
            job.fail(error)
        }
    }

    func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(StoreError) {
        running.add(1, ordering: .relaxed)
        let started = PlainThread.start(name) { [self] in
            body()
            running.subtract(1, ordering: .releasing)
        }
        if !started {
            running.subtract(1, ordering: .relaxed)
            throw StoreError(.other, "the system gives no thread for \(name)")
        }
    }

    /// Finishes what was handed over and waits for the threads to end.
    func close() async {
        writes.close()
        reads.close()
        while running.load(ordering: .acquiring) > 0 { try? await Task.sleep(for: .milliseconds(2)) }
    }
}

/// Hands a connection, or what works over it, to the one thread that will use it. `@unchecked Sendable`: whoever made
/// it keeps no reference, so only that thread ever touches `value`.
final class ThreadOwned<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
