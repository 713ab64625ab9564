public import CrowdCore

/// The database that `db_config` names.
public enum Database {
    /// The store of a server, its schema made or migrated.
    public static func store(_ config: DatabaseConfig) throws(StoreError) -> any Store {
        switch try kind(of: config) {
        case .sqlite(let settings): try SQLiteStore(settings: settings)
        case .postgres(let settings): try PostgresStore(settings: settings)
        }
    }

    /// A connection beside a running server, or before the first one ran: the schema is made where it is missing.
    public static func connection(_ config: DatabaseConfig, applicationName: String) throws(StoreError)
        -> any SQLConnection
    {
        switch try kind(of: config) {
        case .sqlite(let settings): return try SQLiteConnection.open(settings)
        case .postgres(var settings):
            settings.applicationName = applicationName
            let connection = try PostgresConnection(settings)
            try connection.requireOwnSession(settings)
            _ = try PostgresSchema.bringUpToDate(connection)
            return connection
        }
    }

    private enum Kind {
        case sqlite(SQLiteSettings)
        case postgres(PostgresSettings)
    }

    private static func kind(of config: DatabaseConfig) throws(StoreError) -> Kind {
        switch config.kind {
        case .sqlite:
            guard let path = config.path else { throw StoreError(.unusable, "db_config: db_path is missing") }
            let useWAL = config.useWAL ?? (NetworkFileSystem.type(holding: path) == nil)
            return .sqlite(SQLiteSettings(path: path, useWAL: useWAL))
        case .postgres, .postgresql, .pgx: return .postgres(PostgresSettings(config))
        case .mysql: throw StoreError(.unusable, "db_config: type mysql is not supported; sqlite and postgresql are")
        }
    }
}

extension PostgresSettings {
    /// `db_path` is the directory of a unix socket when no host is given (protocol facts C.1).
    init(_ config: DatabaseConfig) {
        self.init()
        host = config.host.flatMap { $0.isEmpty ? nil : $0 } ?? config.path
        port = config.port.flatMap { $0 == 0 ? nil : $0 }
        (user, password, database) = (config.user, config.password, config.name)
        (sslMode, sslRootCert) = (config.sslMode, config.sslCAPath)
        (sslCert, sslKey) = (config.sslCertPath, config.sslKeyPath)
    }
}
