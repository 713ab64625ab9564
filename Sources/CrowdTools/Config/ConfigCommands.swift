import CrowdCore
import CrowdExpr

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
            ) { try FeatureFlags.show($0) },
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
        if let key = call.flags.nonEmpty("key") {
            return call.print(try value(of: key, in: config, asJSON: call.output == .json))
        }
        switch call.output {
        case .human: call.terminal.print(ConfigSummary(config).text, terminator: "")
        case .json: call.print(ConfigTree(config).json.pretty)
        case .raw: call.terminal.print(try ConfigFile.load(call.configPath).yamlText, terminator: "")
        }
    }

    /// A value by the reference's names (`Config.API.Server.ListenURI`); a missing section prints `nil`. What is no such
    /// name is an expression over them.
    static func value(of key: String, in config: SuiteConfig, asJSON: Bool = false) throws -> String {
        guard key.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" }) else {
            return try value(ofExpression: key, in: config, asJSON: asJSON)
        }
        let value = try value(at: key, in: config)
        return asJSON ? value.json.pretty : value.shown
    }

    private static func value(ofExpression key: String, in config: SuiteConfig, asJSON: Bool) throws -> String {
        let variables = JSON.object([JSONMember("Config", ConfigTree(config).json)])
        var evaluator = try ExprEvaluator(Array(variables.compact.utf8), isEvent: false)
        let text: String
        switch evaluator.evaluate(key) {
        case .success(let json): text = json
        case .failure(let error):
            let (line, column) = error.position(in: key)
            throw CommandError("\(error.message) (\(line):\(column))\n | \(key)")
        }
        let json = try JSON.parse(Array(text.utf8))
        if asJSON { return json.pretty }
        return json.isNull ? "nil" : json.string ?? json.pretty
    }

    private static func value(at key: String, in config: SuiteConfig) throws(CommandError) -> ConfigTree {
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
        return value
    }

    static func removed(_ call: Invocation, _ name: String) throws {
        let folder = try call.config().paths.configDirectory
        throw CommandError(
            "'cscli config \(name)' has been removed, you can manually backup/restore \(folder) instead")
    }
}
