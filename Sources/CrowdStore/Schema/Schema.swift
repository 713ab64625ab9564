/// Makes the tables where they are missing. A database of an older form has been migrated before.
enum Schema {
    static func install(in connection: SQLiteConnection) throws(StoreError) {
        for table in Table.all {
            let isPresent = try connection.first(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [.text(table.name)], { $0.bool(0) })
            if isPresent == nil {
                try connection.execute(SQLiteDialect.createTable(table))
                try connection.execute(SQLiteDialect.createUniqueIndexes(of: table))
            }
            for index in table.indexes { try connection.execute(SQLiteDialect.create(index, on: table)) }
        }
    }
}

/// The schema in SQLite's words, as the reference's own migration writes them.
enum SQLiteDialect {
    static func createTable(_ table: Table) -> String {
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
        return "CREATE TABLE `\(table.name)` (\(parts.joined(separator: ", ")))"
    }

    /// Statements separated by `;`, none for a table without unique columns.
    static func createUniqueIndexes(of table: Table) -> String {
        table.columns.filter(\.isUnique).map { column in
            "CREATE UNIQUE INDEX `\(table.name)_\(column.name)_key` ON `\(table.name)` (`\(column.name)`)"
        }.joined(separator: ";")
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
