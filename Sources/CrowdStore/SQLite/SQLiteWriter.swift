import CSQLite
import Glibc

/// One `write` call on its way.
struct WriteJob: Sendable {
    /// Makes the changes and returns what to do once they are durable.
    var perform: @Sendable (any SQLSession) throws(StoreError) -> @Sendable () -> Void
    var fail: @Sendable (StoreError) -> Void
}

/// Group commit over one connection.
///
/// (1) A batch is one transaction, each job a savepoint: a job that throws undoes itself only.
/// (2) When the batch as a whole cannot be committed (full disk, lock), each job is tried again in a transaction of
///     its own, so that a small write still succeeds where a large one cannot.
/// (3) Completions run in job order, after the commit.
final class SQLiteWriter {
    private let connection: SQLiteConnection
    private var dataVersion: Int64 = -1
    private var lastCheck: UInt64 = 0

    init(connection: SQLiteConnection) {
        self.connection = connection
        dataVersion = currentDataVersion() ?? -1
    }

    func commit(_ jobs: [WriteJob]) {
        guard !jobs.isEmpty else { return }
        do {
            let completions = try connection.transaction { () throws(StoreError) in try performAll(jobs) }
            for completion in completions { completion() }
        } catch {
            for job in jobs { commitAlone(job) }
        }
    }

    private func performAll(_ jobs: [WriteJob]) throws(StoreError) -> [@Sendable () -> Void] {
        var completions: [@Sendable () -> Void] = []
        completions.reserveCapacity(jobs.count)
        for job in jobs {
            do {
                completions.append(
                    try connection.savepoint { () throws(StoreError) in try job.perform(connection) })
            } catch {
                guard connection.isInTransaction else { throw error }
                completions.append { job.fail(error) }
            }
        }
        return completions
    }

    private func commitAlone(_ job: WriteJob) {
        do {
            let completion = try connection.transaction { () throws(StoreError) in try job.perform(connection) }
            completion()
        } catch {
            job.fail(error)
        }
    }

    /// Whether another process changed the file since the last call; looks at most twice a second.
    ///
    /// `data_version` of a connection moves only with other connections' commits, and only this one writes here.
    func sawForeignChange() -> Bool {
        let now = Self.milliseconds()
        guard now - lastCheck >= UInt64(SQLiteStore.foreignCheckMilliseconds) else { return false }
        lastCheck = now
        guard let version = currentDataVersion(), version != dataVersion else { return false }
        dataVersion = version
        return true
    }

    private func currentDataVersion() -> Int64? {
        (try? connection.first("PRAGMA data_version") { $0.int(0) }) ?? nil
    }

    private static func milliseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }
}
