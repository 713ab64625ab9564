import CrowdCore
import Synchronization

/// The SQLite driver: one writer thread with group commit, a few reader threads, all on one WAL file.
public final class SQLiteStore: Store {
    private let writes = JobQueue<WriteJob>()
    private let reads = JobQueue<@Sendable (SQLiteConnection) -> Void>()
    private let foreignChange = Mutex<(@Sendable () -> Void)?>(nil)
    private let running: Atomic<Int>
    /// What was done to a database of an older form, a line for each step.
    public let migrations: [String]

    /// How long a change of another process may stay unseen.
    static let foreignCheckMilliseconds = 500

    /// Opens or creates the file, makes or migrates the schema and starts the threads.
    public init(settings: SQLiteSettings, readers: Int = 2) throws(StoreError) {
        running = Atomic(readers + 1)
        let writer = try SQLiteConnection.prepared(settings)
        migrations = try writer.bringUpToDate(settings)
        var connections: [SQLiteConnection] = []
        for _ in 0..<readers { connections.append(try SQLiteConnection.prepared(settings)) }
        try startWriter(over: writer)
        for connection in connections { try startReader(over: connection) }
    }

    public func write<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        afterCommit: @escaping @Sendable (R) -> Void
    ) async throws(StoreError) -> R {
        let result: Result<R, StoreError> = await withCheckedContinuation { continuation in
            let job = WriteJob(
                perform: { session throws(StoreError) in
                    let value = try body(session)
                    return {
                        afterCommit(value)
                        continuation.resume(returning: .success(value))
                    }
                },
                fail: { continuation.resume(returning: .failure($0)) })
            if !writes.push(job) { job.fail(StoreError(.closed, "the store is closing")) }
        }
        return try result.get()
    }

    public func read<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        let result: Result<R, StoreError> = await withCheckedContinuation { continuation in
            let taken = reads.push { connection in
                continuation.resume(
                    returning: Result { () throws(StoreError) in
                        try connection.readTransaction { () throws(StoreError) in try body(connection) }
                    })
            }
            if !taken { continuation.resume(returning: .failure(StoreError(.closed, "the store is closing"))) }
        }
        return try result.get()
    }

    public func onForeignChange(_ action: @escaping @Sendable () -> Void) {
        foreignChange.withLock { $0 = action }
    }

    public func close() async {
        writes.close()
        reads.close()
        while running.load(ordering: .acquiring) > 0 { try? await Task.sleep(for: .milliseconds(2)) }
    }

    private func startWriter(over connection: SQLiteConnection) throws(StoreError) {
        // Made here, not on its thread: a foreign change is one after the store was opened, however late that starts.
        let owned = ThreadOwned(SQLiteWriter(connection: connection))
        try start("store-writer") { [self] in
            let writer = owned.value
            while let jobs = writes.take(limit: 256, waitMilliseconds: Self.foreignCheckMilliseconds) {
                writer.commit(jobs)
                if writer.sawForeignChange() { foreignChange.withLock { $0 }?() }
            }
        }
    }

    private func startReader(over connection: SQLiteConnection) throws(StoreError) {
        let owned = ThreadOwned(connection)
        try start("store-reader") { [self] in
            while let jobs = reads.take(limit: 1, waitMilliseconds: 60_000) {
                for job in jobs { job(owned.value) }
            }
        }
    }

    private func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(StoreError) {
        let started = PlainThread.start(name) { [self] in
            body()
            running.subtract(1, ordering: .releasing)
        }
        if !started { throw StoreError(.other, "the system gives no thread for \(name)") }
    }
}

/// Hands a connection, or what works over it, to the one thread that will use it. `@unchecked Sendable`: whoever made it keeps no reference,
/// so only that thread ever touches `value`.
private final class ThreadOwned<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
