import CPostgres
import CrowdCore

/// One connection to a PostgreSQL server, for one thread at a time. Statements are prepared once per text and kept.
///
/// A connection that was lost stays lost: every call throws `.unavailable`, and its owner makes another.
public final class PostgresConnection: SQLConnection {
    public let dialect = SQLDialect.postgres
    /// Names this connection in the change table (`crowd_changes`).
    let session = SecureRandom.uuid()
    private let handle: OpaquePointer
    /// The server's names of prepared statements.
    private var statements: [String: String] = [:]
    private var lastStatement = 0
    /// A statement failed because the tables are not what they were.
    private(set) var isOutdated = false

    public init(_ settings: PostgresSettings) throws(StoreError) {
        let parameters = settings.parameters
        let names = CStrings(parameters.map(\.name))
        let values = CStrings(parameters.map(\.value))
        if let problem = crowd_pq_load() {
            throw StoreError(.unusable, "libpq (package libpq5): \(String(cString: problem))")
        }
        let handle = names.withPointers { names in values.withPointers { crowd_pq_connect(names, $0) } }
        guard let handle else { throw StoreError(.unavailable, "out of memory") }
        guard crowd_pq_is_connected(handle) == 1 else {
            let text = PostgresError.text(crowd_pq_connection_error(handle))
            crowd_pq_finish(handle)
            throw StoreError(.unavailable, text)
        }
        self.handle = handle
        try execute(
            """
            SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET standard_conforming_strings = on;
            SET synchronous_commit = on; SET crowd.session = '\(session)'
            """)
    }

    deinit { crowd_pq_finish(handle) }

    var isLost: Bool { crowd_pq_is_connected(handle) == 0 }
    public var isInTransaction: Bool { crowd_pq_is_in_transaction(handle) == 1 }
    /// For waiting until the server has something to say; negative when the connection is lost.
    var descriptor: Int32 { crowd_pq_socket(handle) }

    public func execute(_ sql: String) throws(StoreError) {
        let result = crowd_pq_execute(handle, sql)
        defer { crowd_pq_clear(result) }
        try check(result)
    }

    /// - Throws: when a pooler gives each transaction another session: notifications, locks and prepared statements would
    ///   be another client's. Seen from a session that two connections have at once.
    func requireOwnSession(_ settings: PostgresSettings) throws(StoreError) {
        let other = try PostgresConnection(settings)
        for _ in 0..<3 {
            guard try backend() != other.backend() else {
                throw StoreError(
                    .unusable,
                    "a pooler before the server gives each transaction another session, but notifications, locks and prepared "
                        + "statements need sessions: set pool_mode = session for this database in pgbouncer, or connect to "
                        + "the server itself")
            }
        }
    }

    /// The server's process behind this connection, without a prepared statement.
    private func backend() throws(StoreError) -> String {
        let result = crowd_pq_execute(handle, "SELECT pg_backend_pid()")
        defer { crowd_pq_clear(result) }
        try check(result)
        return crowd_pq_rows(result) > 0 ? PostgresError.text(crowd_pq_value(result, 0, 0)) : ""
    }

    @discardableResult
    public func run(_ sql: String, _ values: [SQLValue] = []) throws(StoreError) -> Int {
        let name = try prepared(sql)
        let result = BoundValues(values).withPointers { crowd_pq_run(handle, name, Int32(values.count), $0) }
        defer { crowd_pq_clear(result) }
        try check(result)
        return Int(PostgresError.text(crowd_pq_changed(result))) ?? 0
    }

    public func each(
        _ sql: String, _ values: [SQLValue], _ body: (any SQLRow) throws(StoreError) -> Void
    ) throws(StoreError) {
        let name = try prepared(sql)
        let isSent = BoundValues(values).withPointers { crowd_pq_ask(handle, name, Int32(values.count), $0) }
        guard isSent == 1 else { throw connectionError() }
        var failure: StoreError?
        while let result = crowd_pq_next(handle) {
            defer { crowd_pq_clear(result) }
            guard failure == nil else { continue }
            do {
                try check(result)
                for row in 0..<crowd_pq_rows(result) { try body(PostgresRow(result: result, row: row)) }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Reads what the server sent unasked.
    ///
    /// - Returns: whether a notification was among it.
    func takeNotifications() throws(StoreError) -> Bool {
        guard crowd_pq_consume(handle) == 1 else { throw connectionError() }
        var found = false
        while crowd_pq_take_notification(handle) == 1 { found = true }
        return found
    }

    private func prepared(_ sql: String) throws(StoreError) -> String {
        if let name = statements[sql] { return name }
        // Texts built from a search's filters are many: start over rather than grow.
        if statements.count >= 256 && !isInTransaction {
            try execute("DEALLOCATE ALL")
            statements.removeAll()
        }
        lastStatement += 1
        let name = "s\(lastStatement)"
        let result = crowd_pq_prepare(handle, name, Self.numbered(sql))
        defer { crowd_pq_clear(result) }
        try check(result)
        statements[sql] = name
        return name
    }

    /// `?` as PostgreSQL wants it: `$1`, `$2`. Our texts have no other question marks.
    static func numbered(_ sql: String) -> String {
        var text = ""
        var count = 0
        for character in sql {
            if character == "?" {
                count += 1
                text += "$\(count)"
            } else {
                text.append(character)
            }
        }
        return text
    }

    /// Brings the tables back to the form that another program took from them, and prepares every statement anew.
    ///
    /// - Returns: the migrations made, as lines for the log.
    func repair() throws(StoreError) -> [String] {
        isOutdated = false
        try execute("DEALLOCATE ALL")
        statements.removeAll()
        do { return try PostgresSchema.bringUpToDate(self, keepsCopy: false) } catch {
            isOutdated = true
            throw error
        }
    }

    private func check(_ result: OpaquePointer?) throws(StoreError) {
        guard crowd_pq_is_good(result) == 0 else { return }
        let error = isLost ? connectionError() : PostgresError.error(of: result)
        if error.kind == .outdated { isOutdated = true }
        throw error
    }

    private func connectionError() -> StoreError {
        StoreError(.unavailable, PostgresError.text(crowd_pq_connection_error(handle)))
    }
}
