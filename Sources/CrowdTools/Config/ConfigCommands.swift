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
            Command(
                name: "feature-flags", summary: "Displays feature flag status",
                flags: [.toggle("retired", nil, "Show retired features")]
            ) { FeatureFlags.show($0) },
            Command(name: "backup", summary: "DEPRECATED", arguments: .any, isHidden: true) {
                try ConfigCommands.removed($0, "backup")
            },
            Command(name: "restore", summary: "DEPRECATED", arguments: .any, isHidden: true) {
                try ConfigCommands.removed($0, "restore")
            },
            Command(name: "show-yaml", summary: "Displays merged config.yaml + config.yaml.local") { call in
                call.terminal.print(try ConfigFile.load(call.configPath).yamlText, terminator: "")
            },
        ])
}

enum ConfigCommands {
    static func show(_ call: Invocation) throws {
        let config = try call.config()
        if let key = call.flags.nonEmpty("key") { return call.print(try value(of: key, in: config)) }
        switch call.output {
        case .human: call.terminal.print(sections(of: config), terminator: "")
        case .json: call.print(ConfigTree(config).json.pretty)
        case .raw: call.terminal.print(try ConfigFile.load(call.configPath).yamlText, terminator: "")
        }
    }

    /// A value by the reference's names (`Config.API.Server.ListenURI`); a missing section prints `nil`.
    static func value(of key: String, in config: SuiteConfig) throws(CommandError) -> String {
        let names = key.split(separator: ".", omittingEmptySubsequences: false)
        guard names.first == "Config" else {
            throw CommandError("unknown name \(names.first ?? "") (1:1)\n | \(key)\n | ^")
        }
        var value = ConfigTree(config)
        var column = "Config.".count
        for name in names.dropFirst() {
            guard let inner = value[[name]] else {
                let mark = String(repeating: ".", count: column)
                throw CommandError(
                    "type \(value.typeName) has no field \(name) (1:\(column + 1))\n | \(key)\n | \(mark)^")
            }
            value = inner
            column += name.count + 1
        }
        return value.shown
    }

    static func removed(_ call: Invocation, _ name: String) throws {
        let folder = try call.config().paths.configDirectory
        throw CommandError(
            "'cscli config \(name)' has been removed, you can manually backup/restore \(folder) instead")
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
            text += "API Client:\n"
            if let path = client.credentialsPath, let credentials = try? LAPICredentials.load(path: path) {
                let url: String =
                    switch credentials.endpoint {
                    case .url(let url): url
                    case .socket(let path): path
                    }
                text += "  - URL                     : \(url)\n"
                text += "  - Login                   : \(credentials.login ?? "")\n"
            }
            text += "  - Credentials File        : \(client.credentialsPath ?? "")\n"
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
