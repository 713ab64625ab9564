import CrowdCore

/// The sections of a host that runs or asks a Local API.
extension ConfigTree {
    init(_ paths: PathsConfig) {
        self = .section(
            type: "ConfigurationPaths",
            fields: [
                ("ConfigDir", .text(paths.configDirectory)), ("DataDir", .text(paths.dataDirectory)),
                ("SimulationFilePath", .text(paths.simulationPath)), ("HubIndexFile", .text(paths.indexPath)),
                ("HubDir", .text(paths.hubDirectory)), ("PluginDir", .optional(paths.pluginDirectory)),
                ("NotificationDir", .text(paths.notificationDirectory)), ("PatternDir", .text(paths.patternDirectory)),
            ])
    }

    init(_ database: DatabaseConfig) {
        self = .section(
            type: "DatabaseCfg",
            fields: [
                ("User", .optional(database.user)), ("Password", .optional(database.password)),
                ("DbName", .optional(database.name)), ("Sslmode", .optional(database.sslMode)),
                ("Host", .optional(database.host)), ("Port", .number(database.port ?? 0)),
                ("DbPath", .optional(database.path)), ("Type", .text(database.kind.rawValue)),
                (
                    "Flush",
                    .section(
                        type: "FlushDBCfg",
                        fields: [
                            ("MaxItems", database.flush.maxItems.map { .number($0) } ?? .absent),
                            ("MaxAge", database.flush.maxAge.map { .text($0.description) } ?? .absent),
                        ])
                ),
                ("MaxOpenConns", .number(database.maxOpenConnections)),
                ("UseWal", database.useWAL.map { .boolPointer($0) } ?? .absent),
                ("DecisionBulkSize", .number(database.decisionBulkSize)),
            ])
    }

    init(_ client: LAPIClientConfig) {
        let credentials = client.credentialsPath.flatMap { try? LAPICredentials.load(path: $0) }
        self = .section(
            type: "LocalApiClientCfg",
            fields: [
                ("CredentialsFilePath", .optional(client.credentialsPath)),
                ("Credentials", credentials.map { .init($0) } ?? .absent),
                ("InsecureSkipVerify", .boolPointer(client.insecureSkipVerify)),
                ("UnregisterOnExit", .bool(client.unregistersOnExit)),
            ])
    }

    /// In JSON under the keys of its file, as the reference prints it; the password stays where it is.
    private init(_ credentials: LAPICredentials) {
        self = .section(
            type: "ApiCredentialsCfg",
            fields: [
                ("URL", .text(credentials.endpoint.text)), ("Login", .optional(credentials.login)),
                ("CACertPath", .optional(credentials.caPath)), ("CertPath", .optional(credentials.certPath)),
                ("KeyPath", .optional(credentials.keyPath)),
            ],
            json: [
                "URL": "url", "Login": "login", "CACertPath": "ca_cert_path", "CertPath": "cert_path",
                "KeyPath": "key_path",
            ])
    }

    init(_ server: LAPIServerConfig) {
        self = .section(
            type: "LocalApiServerCfg",
            fields: [
                ("Enable", .boolPointer(server.enabled)), ("ListenURI", .optional(server.listenURI)),
                ("ListenSocket", .optional(server.listenSocket)), ("TLS", server.tls.map { .init($0) } ?? .absent),
                ("ProfilesPath", .text(server.profilesPath)), ("ConsoleConfigPath", .text(server.consolePath)),
                (
                    "OnlineClient",
                    server.onlineClient.map { client in
                        .section(
                            type: "OnlineApiClientCfg",
                            fields: [
                                ("CredentialsFilePath", .optional(client.credentialsPath)),
                                ("Sharing", .boolPointer(client.sharing)),
                            ])
                    } ?? .absent
                ),
                ("UseForwardedForHeaders", .bool(server.usesForwardedForHeaders)),
                ("TrustedProxies", .texts(server.trustedProxies.map(\.description))),
                ("TrustedIPs", .texts(server.trustedIPs.map(\.description))),
                ("DisableRemoteLapiRegistration", .bool(server.disablesRemoteRegistration)),
                ("CapiWhitelistsPath", .optional(server.capiWhitelistsPath)),
                ("DisableUsageMetricsExport", .bool(server.disablesUsageMetricsExport)),
            ])
    }

    private init(_ tls: LAPITLSConfig) {
        self = .section(
            type: "TLSCfg",
            fields: [
                ("CertFilePath", .optional(tls.certPath)), ("KeyFilePath", .optional(tls.keyPath)),
                ("ClientVerification", .text(tls.clientVerification.rawValue)),
                ("CACertPath", .optional(tls.caPath)), ("AllowedAgentsOU", .texts(tls.agentsAllowedOU)),
                ("AllowedBouncersOU", .texts(tls.bouncersAllowedOU)), ("CRLPath", .optional(tls.crlPath)),
            ])
    }
}

extension LogLevel {
    /// The numbers of the reference's logging library.
    var logrusNumber: Int {
        switch self {
        case .fatal: 1
        case .error: 2
        case .warning: 3
        case .info: 4
        case .debug: 5
        case .trace: 6
        }
    }
}
