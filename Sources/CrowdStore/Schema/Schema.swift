/// Makes tables and indexes where they are missing. A database of an older form has been migrated before.
enum Schema {
    /// - Parameter present: names of the tables and indexes that are there.
    static func install(in connection: any SQLConnection, present: Set<String>) throws(StoreError) {
        let dialect = connection.dialect
        for table in Table.all + Table.ours {
            if !present.contains(table.name) {
                try connection.execute(dialect.createTable(table))
                try connection.execute(dialect.createUniqueIndexes(of: table))
            }
            for index in table.indexes where !present.contains(index.name) {
                try connection.execute(dialect.create(index, on: table))
            }
        }
    }
}
