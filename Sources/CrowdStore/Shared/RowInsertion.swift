/// `INSERT` of many rows with few statements: each costs a parse at most once, and on a server a round trip.
struct RowInsertion: Sendable {
    /// Rows that one statement takes: most alerts have few of a kind, which then need one.
    private static let sizes = [64, 32, 16, 8, 7, 6, 5, 4, 3, 2, 1]

    /// By number of rows, in the order of `sizes`.
    private let statements: [String]

    init(table: String, columns: [String]) {
        let row = "(" + columns.map { _ in "?" }.joined(separator: ",") + ")"
        statements = Self.sizes.map { size in
            "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES "
                + Array(repeating: row, count: size).joined(separator: ",")
        }
    }

    func insert(_ rows: some Collection<[SQLValue]>, in session: any SQLSession) throws(StoreError) {
        try each(rows) { statement, values throws(StoreError) in try session.run(statement, values) }
    }

    /// The ids of the new rows, in the order of the rows: the database gives ascending ones.
    func insertGivingIDs(_ rows: some Collection<[SQLValue]>, in session: any SQLSession)
        throws(StoreError) -> [Int64]
    {
        var ids: [Int64] = []
        ids.reserveCapacity(rows.count)
        try each(rows) { statement, values throws(StoreError) in
            ids += try session.all(statement + " RETURNING id", values) { $0.int(0) }.sorted()
        }
        guard ids.count == rows.count else { throw StoreError(.other, "insert returned too few ids") }
        return ids
    }

    private func each(
        _ rows: some Collection<[SQLValue]>, _ body: (String, [SQLValue]) throws(StoreError) -> Void
    ) throws(StoreError) {
        var left = rows.count
        var next = rows.startIndex
        for (size, statement) in zip(Self.sizes, statements) {
            while left >= size {
                var values: [SQLValue] = []
                for _ in 0..<size {
                    values += rows[next]
                    rows.formIndex(after: &next)
                }
                try body(statement, values)
                left -= size
            }
        }
    }
}
