import CrowdCore
import Glibc

/// One step from an older form of the database to the next. Steps are numbered from one without gaps and never change
/// once they have been released; `user_version` in the file holds the number of the last one.
///
/// The number only tells what is newer than this program. Each step looks at the tables: a database that the reference
/// brought up to date itself has number 0 and needs nothing, and an older program of the reference, `cscli` among them,
/// brings the tables of any database back to its own form by starting.
struct Migration: Sendable {
    var number: Int64
    var name: String
    var isNeeded: @Sendable (SQLiteConnection) throws(StoreError) -> Bool
    var apply: @Sendable (SQLiteConnection) throws(StoreError) -> Void

    static let all: [Migration] = [
        Migration(
            number: 1, name: "tables-of-1.4",
            isNeeded: { connection throws(StoreError) in try !TableRebuild.outdated(in: connection).isEmpty },
            apply: { connection throws(StoreError) in
                for table in try TableRebuild.outdated(in: connection) {
                    try TableRebuild.run(table, in: connection)
                }
            })
    ]
}

/// Brings a database to the current form, after a copy of it has been made beside it.
enum Migrator {
    /// - Parameter keepsCopy: false when the database was in the current form a moment ago.
    /// - Returns: one line for each step taken, for the log; empty for a database that is new or up to date.
    static func run(in connection: SQLiteConnection, path: String, keepsCopy: Bool = true) throws(StoreError)
        -> [String]
    {
        let version = try userVersion(of: connection)
        guard version <= Int64(Migration.all.count) else {
            throw StoreError(.unusable, "\(path): made by a newer version (form \(version)); start that one")
        }
        let needed = try needed(in: connection)
        guard let first = needed.first else { return [] }
        let name = "\(path).before-\(first.number)-\(first.name)-\(Timestamp.now().seconds)"
        let copy = keepsCopy ? try makeCopy(of: connection, at: name) : nil
        // Tables are replaced: what refers to them must not follow the old ones into the void.
        try connection.execute("PRAGMA foreign_keys=OFF")
        defer { try? connection.execute("PRAGMA foreign_keys=ON") }
        try connection.transaction { () throws(StoreError) in
            // Another process may have been faster.
            for step in needed where try step.isNeeded(connection) { try step.apply(connection) }
            try connection.execute("PRAGMA user_version=\(Migration.all.count)")
        }
        return needed.map { "Database migrated. step=\($0.number) name=\($0.name) copy=\(copy ?? "none")" }
    }

    static func needed(in connection: SQLiteConnection) throws(StoreError) -> [Migration] {
        var needed: [Migration] = []
        for step in Migration.all where try step.isNeeded(connection) { needed.append(step) }
        return needed
    }

    /// - Returns: where it is: the name given, or one like it if another copy has that.
    private static func makeCopy(of connection: SQLiteConnection, at name: String) throws(StoreError) -> String {
        let names = [name] + (2..<100).map { "\(name)-\($0)" }
        let path = names.first { !FileContents.exists($0) } ?? name
        let isNew = SQLiteSettings.makePrivateFile(path)
        do {
            try connection.run("VACUUM INTO ?", [.text(path)])
            return path
        } catch {
            if isNew { unlink(path) }
            throw StoreError(error.kind, "no copy of the old database could be made, so it stays as it is: \(error)")
        }
    }

    private static func userVersion(of connection: SQLiteConnection) throws(StoreError) -> Int64 {
        try connection.first("PRAGMA user_version", [], { $0.int(0) }) ?? 0
    }
}
