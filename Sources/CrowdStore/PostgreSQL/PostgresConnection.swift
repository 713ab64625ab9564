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

    public init(_ settings: PostgresSettings) throws(StoreError) {
        let parameters = settings.parameters
        let names = CStrings(parameters.map(\.name))
        let values = CStrings(parameters.map(\.value))
        let handle = names.withPointers { names in values.withPointers { PQconnectdbParams(names, $0, 0) } }
        guard let handle else { throw StoreError(.unavailable, "out of memory") }
        guard PQstatus(handle) == CONNECTION_OK else {
            let text = PostgresError.text(PQerrorMessage(handle))
            PQfinish(handle)
            throw StoreError(.unavailable, text)
        }
        self.handle = handle
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try execute(
            """
            SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET standard_conforming_strings = on;
            SET synchronous_commit = on; SET crowd.session = '\(session)'
            """)
    }

    deinit { PQfinish(handle) }

    var isLost: Bool { PQstatus(handle) != CONNECTION_OK }
    public var isInTransaction: Bool {
        let status = PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }
    /// For waiting until the server has something to say; negative when the connection is lost.
    var descriptor: Int32 { PQsocket(handle) }

    public func execute(_ sql: String) throws(StoreError) {
        let result = PQexec(handle, sql)
        defer { PQclear(result) }
        try check(result)
    }

    @discardableResult
    public func run(_ sql: String, _ values: [SQLValue] = []) throws(StoreError) -> Int {
        let name = try prepared(sql)
        let result = BoundValues(values).withPointers {
            PQexecPrepared(handle, name, Int32(values.count), $0, nil, nil, 0)
        }
        defer { PQclear(result) }
        try check(result)
        return Int(PostgresError.text(PQcmdTuples(result))) ?? 0
    }

    public func each(
        _ sql: String, _ values: [SQLValue], _ body: (any SQLRow) throws(StoreError) -> Void
    ) throws(StoreError) {
        let name = try prepared(sql)
        let isSent = BoundValues(values).withPointers {
            PQsendQueryPrepared(handle, name, Int32(values.count), $0, nil, nil, 0)
        }
        guard isSent == 1 else { throw connectionError() }
        // Row by row: a result may be the whole table.
        PQsetSingleRowMode(handle)
        var failure: StoreError?
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            guard failure == nil else { continue }
            do {
                try check(result)
                for row in 0..<PQntuples(result) { try body(PostgresRow(result: result, row: row)) }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Reads what the server sent unasked.
    ///
    /// - Returns: whether a notification was among it.
    func takeNotifications() throws(StoreError) -> Bool {
        guard PQconsumeInput(handle) == 1, !isLost else { throw connectionError() }
        var found = false
        while let notification = PQnotifies(handle) {
            PQfreemem(notification)
            found = true
        }
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
        let result = PQprepare(handle, name, Self.numbered(sql), 0, nil)
        defer { PQclear(result) }
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

    private func check(_ result: OpaquePointer?) throws(StoreError) {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY: return
        default: throw isLost ? connectionError() : PostgresError.error(of: result)
        }
    }

    private func connectionError() -> StoreError {
        StoreError(.unavailable, PostgresError.text(PQerrorMessage(handle)))
    }
}
