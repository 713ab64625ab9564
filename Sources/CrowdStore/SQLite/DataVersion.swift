import Glibc

/// Notices commits of other processes. `data_version` of a connection moves only with other connections' commits, and
/// only the writer's writes here.
struct DataVersion {
    private var seen: Int64
    private var lastCheck: UInt64 = 0

    init(_ connection: SQLiteConnection) { seen = Self.current(connection) ?? -1 }

    /// Calls `action` after a change, until it succeeds; looks at most twice a second.
    mutating func check(
        _ connection: SQLiteConnection, _ action: (SQLiteConnection) throws(StoreError) -> Void
    ) {
        let now = MonotonicTime.milliseconds()
        guard now - lastCheck >= UInt64(SQLiteStore.foreignCheckMilliseconds) else { return }
        lastCheck = now
        guard let version = Self.current(connection), version != seen else { return }
        do {
            try action(connection)
            seen = version
        } catch {
            // The next round tries again.
        }
    }

    private static func current(_ connection: SQLiteConnection) -> Int64? {
        (try? connection.first("PRAGMA data_version") { $0.int(0) }) ?? nil
    }
}

/// Milliseconds of a clock that nobody sets.
enum MonotonicTime {
    static func milliseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }
}
