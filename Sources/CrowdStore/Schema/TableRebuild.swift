import CrowdCore

/// Replaces a table of an older form by one of the present form with the same rows and ids.
enum TableRebuild {
    private struct Present: Sendable {
        var name: String
        var refusesNull: Bool
        var hasDefault: Bool
        var type: String

        /// Not one of ours, but of another version: kept, because that version's `cscli` may be at work just now.
        func isForeign(to table: Table) -> Bool {
            name != "id" && !table.columns.contains { $0.name == name } && (name + type).utf8.allSatisfy(Self.isPlain)
        }

        private static func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// The tables that lack a column, or refuse rows that the present form allows. Absent ones are not outdated.
    static func outdated(in connection: SQLiteConnection) throws(StoreError) -> [Table] {
        var outdated: [Table] = []
        for table in Table.all {
            let present = try columns(of: table, in: connection)
            if !present.isEmpty && isOutdated(table, present) { outdated.append(table) }
        }
        return outdated
    }

    private static func isOutdated(_ table: Table, _ present: [Present]) -> Bool {
        let names = Set(present.map(\.name))
        if table.columns.contains(where: { !names.contains($0.name) }) { return true }
        return present.contains { column in
            guard column.refusesNull, column.name != "id" else { return false }
            guard let wanted = table.columns.first(where: { $0.name == column.name }) else { return !column.hasDefault }
            return wanted.isNullable
        }
    }

    private static func columns(of table: Table, in connection: SQLiteConnection) throws(StoreError) -> [Present] {
        try connection.all(
            "SELECT name, \"notnull\", dflt_value, type FROM pragma_table_info(?)", [.text(table.name)]
        ) { Present(name: $0.text(0), refusesNull: $0.bool(1), hasDefault: !$0.isNull(2), type: $0.text(3)) }
    }

    /// To be called with foreign keys off: dropping the old table must not touch the rows that refer to it.
    static func run(_ table: Table, in connection: SQLiteConnection) throws(StoreError) {
        let columns = try columns(of: table, in: connection)
        let present = Set(columns.map(\.name))
        let foreign = columns.filter { $0.isForeign(to: table) }
        var fresh = table
        fresh.name = "new_\(table.name)"
        let shared =
            (table.primaryKey == nil ? ["id"] : []) + table.columns.map(\.name).filter { present.contains($0) }
            + foreign.map(\.name)
        let lastID = try connection.first(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", [.text(table.name)], { $0.int(0) })
        try connection.execute(SQLDialect.sqlite.createTable(fresh))
        for column in foreign {
            try connection.execute("ALTER TABLE `\(fresh.name)` ADD COLUMN `\(column.name)` \(column.type) NULL")
        }
        try connection.execute(
            """
            INSERT INTO `\(fresh.name)` (\(shared.map { "`\($0)`" }.joined(separator: ", ")))
            SELECT \(shared.map { value(of: $0, in: table, present) }.joined(separator: ", ")) FROM `\(table.name)`
            """)
        try connection.execute("DROP TABLE `\(table.name)`; ALTER TABLE `\(fresh.name)` RENAME TO `\(table.name)`")
        try connection.execute(SQLDialect.sqlite.createUniqueIndexes(of: table))
        // An id that was given once is never given again, also when its row is gone.
        if let lastID {
            try connection.run("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", [.int(lastID), .text(table.name)])
        }
    }

    /// A column as it is read from the old table; where it may be empty there but not here, something stands in.
    private static func value(of name: String, in table: Table, _ present: Set<String>) -> String {
        guard let column = table.columns.first(where: { $0.name == name }), !column.isNullable else {
            return "`\(name)`"
        }
        let others = ["updated_at", "created_at"].filter { column.kind == .time && $0 != name && present.contains($0) }
        let fallback: String =
            switch column.kind {
            case .time: "'\(Timestamp.now().sqlite)'"
            case .text, .longText, .json: column.defaultValue ?? "''"
            case .integer, .integer32, .real, .bool: column.defaultValue ?? "0"
            }
        return "COALESCE(\((["`\(name)`"] + others.map { "`\($0)`" } + [fallback]).joined(separator: ", ")))"
    }
}
