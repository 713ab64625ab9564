public import CrowdCore
import CrowdExpr

/// A parser or postoverflow node as its YAML states it (engine facts B.2).
public struct NodeConfig: Sendable {
    public enum OnSuccess: String, Sendable {
        case nextStage = "next_stage"
        case `continue`
    }

    public var name = ""
    public var description = ""
    public var author = ""
    public var filter: Expression?
    public var onSuccess = OnSuccess.continue
    public var patterns: [(name: String, text: String, mark: SourceMark)] = []
    public var grok: GrokConfig?
    public var children: [NodeConfig] = []
    public var statics: [StaticConfig] = []
    public var stash: [StashConfig] = []
    public var whitelist: WhitelistConfig?
    public var data: [DataFileConfig] = []
    public var mark: SourceMark

    /// An expression and where it stands.
    public struct Expression: Sendable {
        public var text: String
        public var mark: SourceMark
    }

    static let keys = [
        "format", "name", "author", "description", "references", "debug", "profiling", "stage", "filter", "onsuccess",
        "pattern_syntax", "grok", "nodes", "statics", "stash", "whitelist", "data", "labels",
    ]

    public init(from node: YAMLNode, depth: Int = 0) throws(ConfigError) {
        let yaml = try node.mapping(type: "parser.Node", known: NodeConfig.keys)
        mark = node.mark
        guard depth < 32 else { throw ConfigError("nodes are nested too deeply", at: mark) }
        name = try yaml.string("name") ?? ""
        description = try yaml.string("description") ?? ""
        author = try yaml.string("author") ?? ""
        filter = try Expression(yaml, "filter")
        if let text = try yaml.string("onsuccess"), !text.isEmpty {
            guard let value = OnSuccess(rawValue: text) else {
                throw ConfigError("invalid onsuccess '\(text)': next_stage or continue", at: yaml["onsuccess"]?.mark)
            }
            onSuccess = value
        }
        if let syntax = yaml.present("pattern_syntax") {
            for entry in try syntax.anyMapping().entries {
                patterns.append((entry.key, try entry.value.string(), entry.mark))
            }
        }
        grok = try yaml.present("grok").map { (node) throws(ConfigError) in try GrokConfig(from: node) }
        for child in try yaml.present("nodes")?.sequence() ?? [] {
            children.append(try NodeConfig(from: child, depth: depth + 1))
        }
        statics = try StaticConfig.list(yaml.present("statics"))
        for item in try yaml.present("stash")?.sequence() ?? [] { stash.append(try StashConfig(from: item)) }
        whitelist = try yaml.present("whitelist").map { (node) throws(ConfigError) in try WhitelistConfig(from: node) }
        for item in try yaml.present("data")?.sequence() ?? [] { data.append(try DataFileConfig(from: item)) }
        try validate()
    }

    /// All three empty: a document that is skipped.
    public var isAnonymous: Bool { name.isEmpty && description.isEmpty && author.isEmpty }

    private func validate() throws(ConfigError) {
        for item in statics { try item.validate() }
        if grok == nil, children.isEmpty, statics.isEmpty, whitelist == nil {
            throw ConfigError("Node is empty", at: mark)
        }
    }
}

extension NodeConfig.Expression {
    init?(_ yaml: YAMLMapping, _ key: String) throws(ConfigError) {
        guard let node = yaml.present(key) else { return nil }
        let text = try node.string()
        guard !text.isEmpty else { return nil }
        self.init(text: text, mark: node.mark)
    }
}

/// `grok:` (engine facts B.4).
public struct GrokConfig: Sendable {
    public enum Subject: Sendable {
        case field(String)
        case expression(NodeConfig.Expression)
    }
    public var subject: Subject
    /// Inline text; `name` wins when both are given.
    public var pattern = ""
    public var name = ""
    public var statics: [StaticConfig] = []
    public var mark: SourceMark

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(
            type: "parser.GrokPattern", known: ["pattern", "name", "apply_on", "expression", "statics"])
        mark = node.mark
        pattern = try yaml.string("pattern") ?? ""
        name = try yaml.string("name") ?? ""
        if let field = try yaml.string("apply_on"), !field.isEmpty {
            subject = .field(field)
        } else if let expression = try NodeConfig.Expression(yaml, "expression") {
            subject = .expression(expression)
        } else {
            throw ConfigError("grok requires 'expression' or 'apply_on'", at: mark)
        }
        guard !pattern.isEmpty || !name.isEmpty else {
            throw ConfigError("grok needs 'pattern' or 'name'", at: mark)
        }
        statics = try StaticConfig.list(yaml.present("statics"))
    }
}

/// One entry of `statics:` (engine facts B.5).
public struct StaticConfig: Sendable {
    public enum Target: Sendable, Equatable {
        case method(String)
        case parsed(String)
        case meta(String)
        case enriched(String)
        case target(String)
        case none
    }
    public var target = Target.none
    public var value: String?
    public var expression: NodeConfig.Expression?
    public var mark: SourceMark

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(
            type: "parser.Static", known: ["parsed", "meta", "enriched", "target", "method", "value", "expression"])
        mark = node.mark
        let targets: [(String, (String) -> Target)] = [
            ("method", Target.method), ("parsed", Target.parsed), ("meta", Target.meta), ("enriched", Target.enriched),
            ("target", Target.target),
        ]
        for (key, make) in targets {
            guard let name = try yaml.string(key), !name.isEmpty else { continue }
            target = make(name)
            break
        }
        value = try yaml.string("value").flatMap { $0.isEmpty ? nil : $0 }
        expression = try NodeConfig.Expression(yaml, "expression")
    }

    static func list(_ node: YAMLNode?) throws(ConfigError) -> [StaticConfig] {
        var items: [StaticConfig] = []
        for item in try node?.sequence() ?? [] { items.append(try StaticConfig(from: item)) }
        return items
    }

    /// What the reference demands of a node's own statics.
    func validate() throws(ConfigError) {
        switch target {
        case .none, .enriched:
            throw ConfigError("at least one of meta/parsed/target must be set", at: mark)
        default: break
        }
        guard value != nil || expression != nil else {
            throw ConfigError("value or expression must be set", at: mark)
        }
    }
}

/// One entry of `stash:` (engine facts B.7).
public struct StashConfig: Sendable {
    public var name: String
    public var key: NodeConfig.Expression
    public var value: NodeConfig.Expression
    public var ttl: GoDuration
    public var size = 100

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "parser.Stash", known: ["name", "key", "value", "ttl", "size", "strategy"])
        name = try yaml.requiredString("name")
        guard let key = try NodeConfig.Expression(yaml, "key") else { throw yaml.missing("key") }
        guard let value = try NodeConfig.Expression(yaml, "value") else { throw yaml.missing("value") }
        (self.key, self.value) = (key, value)
        guard let ttl = try yaml.duration("ttl") else { throw yaml.missing("ttl") }
        self.ttl = ttl
        size = max(try yaml.int("size") ?? 100, 1)
        if let strategy = try yaml.string("strategy"), !["LRU", "LFU", "ARC"].contains(strategy) {
            throw ConfigError("unknown strategy '\(strategy)': LRU, LFU or ARC", at: yaml["strategy"]?.mark)
        }
    }
}

/// `whitelist:` (engine facts B.6).
public struct WhitelistConfig: Sendable {
    public var reason = ""
    /// Single addresses too.
    public var ranges: [IPRange] = []
    public var expressions: [NodeConfig.Expression] = []

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "parser.Whitelist", known: ["reason", "ip", "cidr", "expression"])
        reason = try yaml.string("reason") ?? ""
        for item in try yaml.present("ip")?.sequence() ?? [] {
            let text = try item.string()
            guard let address = IPAddress(text) else {
                throw ConfigError("'\(text)' is not an IP address", at: item.mark)
            }
            ranges.append(IPRange(address))
        }
        for item in try yaml.present("cidr")?.sequence() ?? [] {
            let text = try item.string()
            guard let range = IPRange(cidr: text) else {
                throw ConfigError("'\(text)' is not a CIDR range", at: item.mark)
            }
            ranges.append(range)
        }
        for item in try yaml.present("expression")?.sequence() ?? [] {
            expressions.append(NodeConfig.Expression(text: try item.string(), mark: item.mark))
        }
    }
}

/// One entry of `data:` (engine facts B.9).
public struct DataFileConfig: Sendable {
    public var sourceURL = ""
    public var destination: String
    public var type = ""
    public var mark: SourceMark

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(
            type: "types.DataSource",
            known: ["source_url", "dest_file", "type", "cache", "strategy", "size", "ttl"])
        mark = node.mark
        sourceURL = try yaml.string("source_url") ?? ""
        destination = try yaml.string("dest_file") ?? ""
        type = try yaml.string("type") ?? ""
    }
}

extension Program {
    /// Compiles an item's expression; what is wrong with it is said with file and line.
    convenience init(_ expression: NodeConfig.Expression, in environment: Environment) throws(ConfigError) {
        do {
            try self.init(expression.text, in: environment)
        } catch {
            let (line, column) = error.position(in: expression.text)
            throw ConfigError(
                "invalid expression '\(expression.text.prefix(200))': \(error.message) (\(line):\(column))",
                at: expression.mark)
        }
    }
}
