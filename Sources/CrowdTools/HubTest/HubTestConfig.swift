import CrowdCore

/// A hub test's `config.yaml` (engine facts G.1). Not strict: keys that are not known are left alone.
struct HubTestConfig: Sendable {
    var parsers: [String] = []
    var scenarios: [String] = []
    var postoverflows: [String] = []
    var appsecRules: [String] = []
    var logFile = ""
    var logType = ""
    var labels: [(String, String)] = []
    var ignoresParsers = false
    var overrideStatics: YAMLNode?

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.anyMapping()
        parsers = try HubTestConfig.names(yaml, "parsers")
        scenarios = try HubTestConfig.names(yaml, "scenarios")
        postoverflows = try HubTestConfig.names(yaml, "postoverflows")
        appsecRules = try HubTestConfig.names(yaml, "appsec-rules")
        logFile = try yaml.string("log_file") ?? ""
        logType = try yaml.string("log_type") ?? ""
        ignoresParsers = try yaml.bool("ignore_parsers") ?? false
        for entry in try yaml.present("labels")?.anyMapping().entries ?? [] {
            labels.append((entry.key, try entry.value.string()))
        }
        if let statics = yaml.present("override_statics"), case .sequence(let items) = statics.content, !items.isEmpty {
            overrideStatics = statics
        }
    }

    private static func names(_ yaml: YAMLMapping, _ key: String) throws(ConfigError) -> [String] {
        var names: [String] = []
        for item in try yaml.present(key)?.sequence() ?? [] {
            let name = item.isNull ? "" : try item.string()
            if !name.isEmpty { names.append(name) }
        }
        return names
    }
}
