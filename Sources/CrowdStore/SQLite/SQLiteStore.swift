import CrowdCore
import Synchronization

/// The SQLite driver: one writer thread with group commit, a few reader threads, all on one WAL file.
public final class SQLiteStore: Store {
    private let threads = StoreThreads()
    private let foreignChange = Mutex<ForeignChange.Action?>(nil)
    public let migrations: [String]

    /// How long a change of another process may stay unseen.
    static let foreignCheckMilliseconds = 500

    /// Opens or creates the file, makes or migrates the schema and starts the threads.
    public init(settings: SQLiteSettings, readers: Int = 2) throws(StoreError) {
        let writer = try SQLiteConnection.prepared(settings)
        migrations = try writer.bringUpToDate(settings)
        var connections: [SQLiteConnection] = []
        for _ in 0..<readers { connections.append(try SQLiteConnection.prepared(settings)) }
        try startWriter(over: writer, settings)
        for connection in connections { try startReader(over: connection) }
    }

    public func write<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        afterCommit: @escaping @Sendable (R) -> Void
    ) async throws(StoreError) -> R {
        try await threads.write(body, afterCommit: afterCommit)
    }

    public func read<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        try await threads.read(body)
    }

    public func onForeignChange(_ action: @escaping ForeignChange.Action) { foreignChange.withLock { $0 = action } }

    /// The file has one server.
    public func catchUp() async {}
    public func isKeeper() async -> Bool { true }
    public var isReachable: Bool { true }
    public var isShared: Bool { false }

    public func close() async { await threads.close() }

    private func startWriter(over connection: SQLiteConnection, _ settings: SQLiteSettings) throws(StoreError) {
        // Made here, not on its thread: a foreign change is one after the store was opened, however late that starts.
        let owned = ThreadOwned((connection: connection, watch: DataVersion(connection)))
        connection.letsOthersRun()
        try threads.start("store-writer") { [self] in
            while let jobs = threads.writes.take(
                limit: StoreThreads.batch, waitMilliseconds: Self.foreignCheckMilliseconds)
            {
                GroupCommit.commit(jobs, over: owned.value.connection)
                guard let action = foreignChange.withLock({ $0 }) else { continue }
                owned.value.watch.check(owned.value.connection) { connection throws(StoreError) in
                    // An older `cscli` gives the tables its own form by looking at them.
                    if try !Migrator.needed(in: connection).isEmpty {
                        try action(.repaired(try connection.bringUpToDate(settings, keepsCopy: false)), connection)
                    }
                    try connection.readTransaction { () throws(StoreError) in try action(.anything, connection) }
                }
            }
        }
    }

    private func startReader(over connection: SQLiteConnection) throws(StoreError) {
        let owned = ThreadOwned(connection)
        try threads.start("store-reader") { [self] in
            while let jobs = threads.reads.take(limit: 1, waitMilliseconds: 60_000) {
                for job in jobs { StoreThreads.perform(job, over: owned.value) }
            }
        }
    }
}
