/// How a PostgreSQL server is reached; what is nil is libpq's to choose (protocol facts C.1).
public struct PostgresSettings: Sendable, Equatable {
    /// A name or address, or the directory of a unix socket.
    public var host: String?
    public var port: Int?
    public var user: String?
    public var password: String?
    public var database: String?
    public var sslMode: String?
    public var sslRootCert: String?
    public var sslCert: String?
    public var sslKey: String?
    /// Shown in `pg_stat_activity`.
    public var applicationName = "crowd-lapi"

    public init() {}

    /// libpq's parameters. A server that does not answer is given up after seconds, not after the system's minutes.
    var parameters: [(name: String, value: String)] {
        let given: [(String, String?)] = [
            ("host", host), ("port", port.map { String($0) }), ("user", user), ("password", password),
            ("dbname", database), ("sslmode", sslMode), ("sslrootcert", sslRootCert), ("sslcert", sslCert),
            ("sslkey", sslKey), ("application_name", applicationName), ("client_encoding", "UTF8"),
            ("connect_timeout", "5"), ("keepalives_idle", "20"), ("keepalives_interval", "5"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "20000"),
        ]
        return given.compactMap { name, value in value.flatMap { $0.isEmpty ? nil : (name, $0) } }
    }
}
