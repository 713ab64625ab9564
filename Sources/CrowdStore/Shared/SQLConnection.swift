/// A session that begins and ends its own transactions; for one thread at a time.
public protocol SQLConnection: SQLSession {
    var dialect: SQLDialect { get }
    var isInTransaction: Bool { get }
    /// Runs one statement that has no values and is not worth preparing.
    func execute(_ sql: String) throws(StoreError)
}

extension SQLConnection {
    public func savepoint<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
        // One name for all: an inner savepoint hides the outer one until it is released.
        try run("SAVEPOINT job", [])
        let result: R
        do { result = try body() } catch {
            // A full disk may have ended the whole transaction already; there is no savepoint left then.
            if isInTransaction {
                try run("ROLLBACK TO SAVEPOINT job", [])
                try run("RELEASE SAVEPOINT job", [])
            }
            throw error
        }
        try run("RELEASE SAVEPOINT job", [])
        return result
    }

    /// Runs `body` in a transaction of its own; where the database has one write lock, it is taken at once.
    public func transaction<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
        try run(dialect.beginWriting, [])
        do {
            let result = try body()
            try run("COMMIT", [])
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    /// Runs `body` over one snapshot of the database.
    public func readTransaction<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
        try run(dialect.beginReading, [])
        defer { rollBack() }
        return try body()
    }

    func rollBack() {
        if isInTransaction { _ = try? run("ROLLBACK", []) }
    }
}
