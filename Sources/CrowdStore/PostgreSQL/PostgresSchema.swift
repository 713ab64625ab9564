import CrowdCore

/// Brings a PostgreSQL database to the present form: the reference's tables, and beside them our own for changes.
enum PostgresSchema {
    /// Our advisory locks: this number and one of these.
    enum Lock: Int32 {
        case schema = 1
        case keeper = 2
        static let space: Int32 = 0x6372_6f77
    }

    /// The newest form this version knows; `crowd_schema` holds the number of the database's.
    static let version: Int64 = 1

    /// - Parameter keepsCopy: false when the database was in the current form a moment ago.
    /// - Returns: the migrations made, as lines for the log.
    static func bringUpToDate(_ connection: PostgresConnection, keepsCopy: Bool = true) throws(StoreError) -> [String] {
        try connection.transaction { () throws(StoreError) in
            // Replicas that start together: one works, the others find it done.
            try connection.execute("SELECT pg_advisory_xact_lock(\(Lock.space), \(Lock.schema.rawValue))")
            let present = try relations(in: connection)
            try checkVersion(in: connection, present)
            let lines = try PostgresMigration.run(in: connection, keepsCopy: keepsCopy)
            try Schema.install(in: connection, present: present)
            try ChangeTable.install(in: connection, present: present)
            if !present.contains(Table.machineScopes.name) { try ChangeTable.watchScopes(in: connection) }
            return lines
        }
    }

    /// Names of tables and indexes.
    private static func relations(in connection: PostgresConnection) throws(StoreError) -> Set<String> {
        let sql = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))"
        return Set(try connection.all(sql) { $0.text(0) })
    }

    private static func checkVersion(in connection: PostgresConnection, _ present: Set<String>) throws(StoreError) {
        guard present.contains("crowd_schema") else {
            try connection.execute("CREATE TABLE crowd_schema (version bigint NOT NULL)")
            try connection.execute("INSERT INTO crowd_schema VALUES (\(version))")
            return
        }
        let found = try connection.first("SELECT max(version) FROM crowd_schema") { $0.int(0) } ?? 0
        guard found <= version else {
            throw StoreError(.unusable, "made by a newer version (form \(found)); start that one")
        }
    }
}
