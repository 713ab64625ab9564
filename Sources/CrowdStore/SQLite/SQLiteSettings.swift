import Glibc

/// How an SQLite file is opened (protocol facts C.1).
public struct SQLiteSettings: Sendable, Equatable {
    public var path: String
    /// False keeps SQLite's rollback journal: for network file systems, where WAL does not work.
    public var useWAL = true
    /// How long a lock of another process is waited for.
    public var busyMilliseconds: Int32 = 10_000

    public init(path: String, useWAL: Bool = true) {
        self.path = path
        self.useWAL = useWAL
    }

    /// The reference's mode: readable by the group, so that tools of the service's group can look.
    static func restrictPermissions(of path: String) { chmod(path, 0o640) }

    /// An empty file that nobody else can read, where there is none. SQLite takes it for an empty database, and gives its
    /// journals the same mode. (A file mode mask would be the whole process's, and other threads make files too.)
    ///
    /// - Returns: whether it made one.
    @discardableResult
    static func makePrivateFile(_ path: String) -> Bool {
        guard path.first != ":" else { return false }
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}

extension SQLiteConnection {
    /// A connection with the suite's settings: foreign keys, full durability, no overwriting of deleted rows.
    ///
    /// An import changes two index pages for each decision, at random places. The cache holds all that one transaction of a
    /// thousand changes, so that none is written twice; the write-ahead log is copied back at 64 MB, when most pages are in it
    /// several times (docs/decisions/0049).
    public static func prepared(_ settings: SQLiteSettings) throws(StoreError) -> SQLiteConnection {
        SQLiteSettings.makePrivateFile(settings.path)
        let connection = try SQLiteConnection(path: settings.path, busyMilliseconds: settings.busyMilliseconds)
        try connection.execute(settings.useWAL ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE")
        try connection.execute(
            """
            PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY;
            PRAGMA cache_size=-16384; PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=16000
            """)
        return connection
    }
}

extension SQLiteConnection {
    /// A connection beside a running server, or before the first one ran: the schema is made where it is missing.
    public static func open(_ settings: SQLiteSettings) throws(StoreError) -> SQLiteConnection {
        let connection = try prepared(settings)
        _ = try connection.bringUpToDate(settings)
        return connection
    }

    /// - Returns: the migrations made, as lines for the log.
    func bringUpToDate(_ settings: SQLiteSettings, keepsCopy: Bool = true) throws(StoreError) -> [String] {
        let migrations = try Migrator.run(in: self, path: settings.path, keepsCopy: keepsCopy)
        try transaction { () throws(StoreError) in
            let present = try all("SELECT name FROM sqlite_master") { $0.text(0) }
            try Schema.install(in: self, present: Set(present))
        }
        SQLiteSettings.restrictPermissions(of: settings.path)
        return migrations
    }
}
