import CrowdCore

extension Command {
    /// `cscli config` (surface facts A.13).
    static let config = Command(
        name: "config", summary: "Allows to view current config",
        subcommands: [
            Command(
                name: "show", summary: "Displays current config",
                flags: [.text("key", nil, "Display only this value (config.API, config.DB, ...)")]
            ) { try ConfigCommands.show($0) },
            Command(name: "show-yaml", summary: "Displays merged config.yaml + config.yaml.local") { call in
                call.terminal.print(try ConfigFile.load(call.configPath).yamlText, terminator: "")
            },
        ])
}

enum ConfigCommands {
    static func show(_ call: Invocation) throws {
        let config = try call.config()
        if let key = call.flags.nonEmpty("key") { return call.print(try value(of: key, in: config)) }
        call.terminal.print(sections(of: config), terminator: "")
    }

    /// The keys that scripts ask for, by the reference's names; a missing section prints `nil`.
    static func value(of key: String, in config: SuiteConfig) throws(CommandError) -> String {
        switch key {
        case "Config.API.Server": return config.server == nil ? "nil" : "&{…}"
        case "Config.API.Server.Enable": return config.server.map { "&\($0.enabled)" } ?? "nil"
        case "Config.API.Server.ListenURI": return config.server?.listenURI ?? ""
        case "Config.API.Server.ListenSocket": return config.server?.listenSocket ?? ""
        case "Config.API.Server.ProfilesPath": return config.server?.profilesPath ?? ""
        case "Config.API.Server.OnlineClient": return config.server?.onlineClient == nil ? "nil" : "&{…}"
        case "Config.API.Client": return config.client == nil ? "nil" : "&{…}"
        case "Config.API.Client.CredentialsFilePath": return config.client?.credentialsPath ?? ""
        case "Config.ConfigPaths.ConfigDir": return config.paths.configDirectory
        case "Config.ConfigPaths.DataDir": return config.paths.dataDirectory
        case "Config.ConfigPaths.HubDir": return config.paths.hubDirectory
        case "Config.ConfigPaths.NotificationDir": return config.paths.notificationDirectory
        case "Config.Crowdsec": return config.agent == nil ? "nil" : "&{…}"
        case "Config.Crowdsec.Enable": return config.agent.map { "&\($0.enabled)" } ?? "nil"
        case "Config.DbConfig.DbPath": return config.database?.path ?? ""
        case "Config.DbConfig.Type": return config.database?.kind.rawValue ?? ""
        case "Config.Prometheus.ListenPort": return String(config.prometheus.listenPort)
        default: throw CommandError("failed to compile key '\(key)': no such value")
        }
    }

    private static func sections(of config: SuiteConfig) -> String {
        var text = """
            Global:
               - Configuration Folder   : \(config.paths.configDirectory)
               - Data Folder            : \(config.paths.dataDirectory)
               - Hub Folder             : \(config.paths.hubDirectory)
               - Simulation File        : \(config.paths.simulationPath)
               - Log Folder             : \(config.common.logDirectory)
               - Log level              : \(config.common.logLevel.rawValue)
               - Log Media              : \(config.common.logMedia.rawValue)

            """
        if let agent = config.agent { text += "Crowdsec\(agent.enabled ? "" : " (disabled)"):\n" }
        text += """
            cscli:
              - Output                  : \(config.cscli.output.rawValue)
              - Hub Branch              : \(config.cscli.hubBranch ?? "")

            """
        if let client = config.client {
            text += "API Client:\n  - Credentials File        : \(client.credentialsPath ?? "")\n"
        }
        if let server = config.server {
            text += """
                Local API Server\(server.enabled ? "" : " (disabled)"):
                  - Listen URL              : \(server.listenURI ?? "")
                  - Listen Socket           : \(server.listenSocket ?? "")
                  - Profile File            : \(server.profilesPath)

                """
        }
        if let database = config.database {
            text += """
                  - Database:
                      - Type                : \(database.kind.rawValue)
                      - Path                : \(database.path ?? "")
                      - Flush age           : \(database.flush.maxAge?.description ?? "")
                      - Flush size          : \(database.flush.maxItems.map { String($0) } ?? "")

                """
        }
        return text
    }
}
