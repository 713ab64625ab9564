public import CrowdCore

/// The databases that a store may lie in.
public enum TestDatabase: String, CaseIterable, Sendable {
    case sqlite, postgresql

    /// Those that are there on this machine.
    public static let present: [TestDatabase] = PostgresServer.shared == nil ? [.sqlite] : allCases

    /// `db_config` of a fresh database; SQLite's file lies in `directory`.
    public func yaml(in directory: TemporaryDirectory) throws -> String {
        guard self == .postgresql, let server = PostgresServer.shared else {
            return "{type: sqlite, db_path: \(directory.path)/crowdsec.db}"
        }
        return try server.yaml(database: try server.makeDatabase())
    }

    public func config(in directory: TemporaryDirectory) throws -> DatabaseConfig {
        try Self.config(try yaml(in: directory), in: directory)
    }

    public static func config(_ yaml: String, in directory: TemporaryDirectory) throws -> DatabaseConfig {
        let paths = "{data_dir: \(directory.path), config_dir: \(directory.path)}"
        let path = try directory.write("database.yaml", "config_paths: \(paths)\ndb_config: \(yaml)\n")
        guard let config = try SuiteConfig.load(path: path).database else { throw SupportError("no db_config") }
        return config
    }
}

extension PostgresServer {
    /// `db_config` of one of its databases.
    public func yaml(database: String) throws -> String {
        "{type: postgresql, db_path: \(directory), user: \(Self.user), db_name: \(database)}"
    }
}
