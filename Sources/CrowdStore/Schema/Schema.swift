/// Makes the tables where they are missing and refuses a database that is not the reference's current form.
enum Schema {
    static func install(in connection: SQLiteConnection) throws(StoreError) {
        for table in Table.all {
            let present = try connection.all("SELECT name FROM pragma_table_info(?)", [.text(table.name)]) {
                $0.text(0)
            }
            if present.isEmpty {
                try connection.execute(SQLiteDialect.create(table))
            } else {
                try check(table, has: Set(present))
            }
            for index in table.indexes { try connection.execute(SQLiteDialect.create(index, on: table)) }
        }
    }

    private static func check(_ table: Table, has present: Set<String>) throws(StoreError) {
        let missing = table.columns.map(\.name).filter { !present.contains($0) }
        guard missing.isEmpty else {
            throw StoreError(
                .unusable,
                "table \(table.name) has an older form: it lacks \(missing.joined(separator: ", ")); "
                    + "start a current CrowdSec on this file once, or begin with a new database")
        }
    }
}

/// The schema in SQLite's words, as the reference's own migration writes them.
enum SQLiteDialect {
    static func create(_ table: Table) -> String {
        var parts: [String] = []
        if table.primaryKey == nil { parts.append("`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT") }
        parts += table.columns.map(describe)
        if let key = table.primaryKey {
            parts.append("PRIMARY KEY (\(key.map { "`\($0)`" }.joined(separator: ", ")))")
        }
        parts += table.references.map { reference in
            "CONSTRAINT `\(reference.name)` FOREIGN KEY (`\(reference.column)`) "
                + "REFERENCES `\(reference.table)` (`id`) ON DELETE \(reference.onDelete.rawValue)"
        }
        let unique = table.columns.filter(\.isUnique).map { column in
            "; CREATE UNIQUE INDEX `\(table.name)_\(column.name)_key` ON `\(table.name)` (`\(column.name)`)"
        }
        return "CREATE TABLE `\(table.name)` (\(parts.joined(separator: ", ")))" + unique.joined()
    }

    static func create(_ index: Table.Index, on table: Table) -> String {
        let columns = index.columns.map { "`\($0)`" }.joined(separator: ", ")
        return "CREATE INDEX IF NOT EXISTS `\(index.name)` ON `\(table.name)` (\(columns))"
    }

    private static func describe(_ column: Table.Column) -> String {
        var text = "`\(column.name)` \(word(for: column.kind)) \(column.isNullable ? "NULL" : "NOT NULL")"
        if let value = column.defaultValue { text += " DEFAULT (\(value))" }
        return text
    }

    private static func word(for kind: Table.Kind) -> String {
        switch kind {
        case .integer: "integer"
        case .real: "real"
        case .text: "text"
        case .bool: "bool"
        case .time: "datetime"
        case .json: "json"
        }
    }
}
