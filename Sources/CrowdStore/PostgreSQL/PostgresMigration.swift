import CrowdCore

/// Brings the reference's tables of an older form to the present one, in place. What was there before is copied into a
/// schema of its own first.
enum PostgresMigration {
    private struct Column {
        var table: String
        var name: String
        var isNullable: Bool
        var hasDefault: Bool
    }

    private static let name = "1_tables_of_1_4"

    /// - Returns: one line for the log when there was something to do.
    static func run(in connection: PostgresConnection, keepsCopy: Bool) throws(StoreError) -> [String] {
        let present = try connection.all(
            """
            SELECT table_name, column_name, is_nullable, column_default IS NOT NULL OR is_identity = 'YES'
            FROM information_schema.columns WHERE table_schema = current_schema()
            """
        ) { Column(table: $0.text(0), name: $0.text(1), isNullable: $0.text(2) == "YES", hasDefault: $0.bool(3)) }
        let known = Dictionary(grouping: present, by: \.table)
        var steps: [String] = []
        for table in Table.all {
            if let columns = known[table.name] { steps += changes(of: table, from: columns, connection.dialect) }
        }
        guard !steps.isEmpty else { return [] }
        let copy = keepsCopy ? "crowd_before_\(name)_\(Timestamp.now().seconds)" : nil
        if let copy { try makeCopy(of: Table.all.filter { known[$0.name] != nil }, as: copy, in: connection) }
        for step in steps { try connection.execute(step) }
        return ["Database migrated. step=1 name=\(name) copy=\(copy.map { "schema \($0)" } ?? "none")"]
    }

    private static func makeCopy(of tables: [Table], as schema: String, in connection: PostgresConnection)
        throws(StoreError)
    {
        try connection.execute("CREATE SCHEMA \(schema)")
        for table in tables {
            try connection.execute("CREATE TABLE \(schema).\(table.name) AS TABLE \(table.name)")
        }
    }

    private static func changes(of table: Table, from present: [Column], _ dialect: SQLDialect) -> [String] {
        let columns = Dictionary(present.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var steps: [String] = []
        for wanted in table.columns {
            let name = dialect.quoted(wanted.name)
            guard let column = columns[wanted.name] else {
                steps += additions(of: wanted, to: table, dialect)
                continue
            }
            if wanted.isNullable && !column.isNullable {
                steps.append("ALTER TABLE \(table.name) ALTER COLUMN \(name) DROP NOT NULL")
            } else if !wanted.isNullable && column.isNullable {
                steps.append("UPDATE \(table.name) SET \(name) = \(standIn(for: wanted)) WHERE \(name) IS NULL")
                steps.append("ALTER TABLE \(table.name) ALTER COLUMN \(name) SET NOT NULL")
            }
        }
        let wanted = Set(table.columns.map(\.name) + ["id"])
        for column in present where !wanted.contains(column.name) && !column.isNullable && !column.hasDefault {
            steps.append("ALTER TABLE \(table.name) ALTER COLUMN \(dialect.quoted(column.name)) DROP NOT NULL")
        }
        return steps
    }

    private static func additions(of column: Table.Column, to table: Table, _ dialect: SQLDialect) -> [String] {
        var step = "ALTER TABLE \(table.name) ADD COLUMN \(dialect.describe(column))"
        guard !column.isNullable && column.defaultValue == nil else { return [step] }
        // Rows that are there need a value; later ones bring their own.
        step += " DEFAULT \(standIn(for: column))"
        return [step, "ALTER TABLE \(table.name) ALTER COLUMN \(dialect.quoted(column.name)) DROP DEFAULT"]
    }

    private static func standIn(for column: Table.Column) -> String {
        switch column.kind {
        case .time: "now()"
        case .text, .longText: column.defaultValue ?? "''"
        case .json: column.defaultValue ?? "'null'"
        case .integer, .integer32, .real: column.defaultValue ?? "0"
        case .bool: column.defaultValue ?? "false"
        }
    }
}
