import CSQLite

/// One connection to an SQLite file, for one thread at a time. Statements are prepared once per text and kept.
public final class SQLiteConnection: SQLConnection {
    public let dialect = SQLDialect.sqlite
    private let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]

    /// Opens or creates `path`. `busyMilliseconds` is how long another process' lock is waited for.
    public init(path: String, busyMilliseconds: Int32 = 10_000) throws(StoreError) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let status = sqlite3_open_v2(path, &handle, flags, nil)
        guard let handle, status == SQLITE_OK else {
            let text = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(status))
            sqlite3_close_v2(handle)
            throw StoreError(.unusable, "\(path): \(text)")
        }
        self.handle = handle
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, busyMilliseconds)
    }

    deinit {
        statements = [:]
        sqlite3_close_v2(handle)
    }

    /// For a connection that writes much beside threads that answer requests.
    func letsOthersRun() { WriterPauses.begin(for: handle) }

    /// Runs statements that need no values, several of them when separated by `;`.
    public func execute(_ sql: String) throws(StoreError) {
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw error(status) }
    }

    @discardableResult
    public func run(_ sql: String, _ values: [SQLValue] = []) throws(StoreError) -> Int {
        try each(sql, values) { _ in }
        return Int(sqlite3_changes(handle))
    }

    public func each(
        _ sql: String, _ values: [SQLValue], _ body: (any SQLRow) throws(StoreError) -> Void
    ) throws(StoreError) {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        while try statement.step() { try body(statement) }
    }

    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// A statement must not be run again from inside its own rows.
    private func prepared(_ sql: String) throws(StoreError) -> SQLiteStatement {
        if let statement = statements[sql] { return statement }
        // Texts built from a search's filters are many: start over rather than grow.
        if statements.count >= 256 { statements.removeAll() }
        var pointer: OpaquePointer?
        let status = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
        guard status == SQLITE_OK, let pointer else { throw error(status) }
        let statement = SQLiteStatement(handle: pointer, connection: self)
        statements[sql] = statement
        return statement
    }

    func error(_ status: Int32) -> StoreError {
        StoreError(Self.kind(of: status), "\(String(cString: sqlite3_errmsg(handle))) (\(status))")
    }

    private static func kind(of status: Int32) -> StoreError.Kind {
        switch status & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_FULL: .diskFull
        case SQLITE_IOERR: .inputOutput
        case SQLITE_CONSTRAINT: .constraint
        case SQLITE_TOOBIG, SQLITE_MISMATCH: .unfit
        case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
        case SQLITE_READONLY: .readOnly
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: .unusable
        default: .other
        }
    }
}
