import CrowdCore
import CrowdExpr
import CrowdText

/// Compiles node configurations into nodes: expressions, groks and targets resolved, everything wrong said with its
/// place.
struct NodeCompiler {
    let environment: Environment
    /// The methods of statics that can be used, by name.
    var enrichers: [String: any Enricher] = [:]
    let stashes: Stashes
    var groks: GrokLibrary
    private(set) var nodeCount = 0
    /// What was accepted though it will not do what was meant.
    private(set) var warnings: [ConfigError] = []

    init(environment: Environment, stashes: Stashes, groks: GrokLibrary) {
        self.environment = environment
        self.stashes = stashes
        self.groks = groks
    }

    mutating func compile(_ config: NodeConfig, parent: String = "") throws(ConfigError) -> Node {
        let name = config.name.isEmpty ? "child-" + parent : config.name
        let number = nodeCount
        nodeCount += 1
        registerPatterns(config)
        let filter = try program(config.filter)
        let whitelist = try config.whitelist.map { (config) throws(ConfigError) in try self.whitelist(config) }
        let grok = try self.grok(config.grok)
        var stash: [StashStep] = []
        for item in config.stash { stash.append(try self.stash(item)) }
        var children: [Node] = []
        for child in config.children { children.append(try compile(child, parent: name)) }
        return Node(
            name: name, number: number, filter: filter, whitelist: whitelist, grok: grok, stash: stash,
            children: children, statics: try statics(config.statics), advances: config.onSuccess == .nextStage)
    }

    /// `pattern_syntax` is global to the context: the first definition of a name stands (engine facts C.3).
    private mutating func registerPatterns(_ config: NodeConfig) {
        for pattern in config.patterns {
            do {
                try groks.register(pattern.name, pattern.text)
            } catch {
                warnings.append(ConfigError(error.description, at: pattern.mark))
            }
        }
    }

    func program(_ expression: NodeConfig.Expression?) throws(ConfigError) -> Program? {
        guard let expression else { return nil }
        return try program(expression)
    }

    func program(_ expression: NodeConfig.Expression) throws(ConfigError) -> Program {
        try Program(expression, in: environment)
    }

    private mutating func grok(_ config: GrokConfig?) throws(ConfigError) -> GrokStep? {
        guard let config else { return nil }
        let grok: Grok
        do {
            grok = config.name.isEmpty ? try groks.compile(config.pattern) : try groks.compile(named: config.name)
        } catch {
            throw ConfigError(error.description, at: config.mark)
        }
        var computed: Program?
        let subject: GrokStep.Subject
        switch config.subject {
        case .field("Line.Raw"): subject = .rawLine
        case .field(let name): subject = .parsed(try key(name, config.mark))
        case .expression(let expression): (subject, computed) = (.expression, try program(expression))
        }
        var fields: [GrokStep.Field] = []
        for (name, place) in zip(grok.fields, grok.pattern.places) {
            fields.append(GrokStep.Field(key: try key(name, config.mark), place: place))
        }
        return GrokStep(
            grok: grok, subject: subject, program: computed, fields: fields, statics: try statics(config.statics))
    }

    private func key(_ name: String, _ mark: SourceMark) throws(ConfigError) -> FieldKey {
        guard let key = environment.keys.intern(name) else { throw ConfigError("too many field names", at: mark) }
        return key
    }

    private mutating func statics(_ configs: [StaticConfig]) throws(ConfigError) -> [Static] {
        var statics: [Static] = []
        for config in configs {
            guard let source = try source(of: config) else { continue }
            let target = try self.target(of: config)
            var method = ""
            if case .method(let name) = config.target { method = name }
            statics.append(
                Static(
                    target: target, source: source.place, program: source.program, enricher: enrichers[method],
                    runsWhenEmpty: method == "ParseDate"))
        }
        return statics
    }

    private func source(
        of config: StaticConfig
    ) throws(ConfigError) -> (place: Static.Source, program: Program?)? {
        if let value = config.value { return (.constant(Immortal.copy(value)), nil) }
        guard let program = try program(config.expression) else { return nil }
        if let field = program.field { return (.field(field.map, field.key), nil) }
        if case .string(let text)? = program.constant { return (.constant(text), nil) }
        return (.expression, program)
    }

    private mutating func target(of config: StaticConfig) throws(ConfigError) -> Static.Target {
        switch config.target {
        case .parsed(let name): return .field(.parsed, try key(name, config.mark))
        case .meta(let name): return .field(.meta, try key(name, config.mark))
        case .enriched(let name): return .field(.enriched, try key(name, config.mark))
        case .method(let name):
            if enrichers[name] != nil { return .method }
            warnings.append(ConfigError("method '\(name)' doesn't exist", at: config.mark))
            return .nothing
        case .target(let path):
            if let target = try self.target(path: path, config.mark) { return target }
            warnings.append(ConfigError("target '\(path)' cannot be set", at: config.mark))
            return .nothing
        case .none: return .nothing
        }
    }

    /// A dotted path from the event to a text (engine facts B.5).
    private func target(path: String, _ mark: SourceMark) throws(ConfigError) -> Static.Target? {
        var parts = path.split(separator: ".").map(String.init)
        if parts.first == "evt" { parts.removeFirst() }
        switch parts.first {
        case "Parsed" where parts.count > 1: return .field(.parsed, try key(parts[1], mark))
        case "Meta" where parts.count > 1: return .field(.meta, try key(parts[1], mark))
        case "Enriched" where parts.count > 1: return .field(.enriched, try key(parts[1], mark))
        case "StrTime": return .strTime
        case "StrTimeFormat": return .strTimeFormat
        case "MarshaledTime": return .marshaledTime
        case "Stage": return .stage
        case "Line" where parts == ["Line", "Module"]: return .lineModule
        case "Line" where parts == ["Line", "Src"]: return .lineSource
        case "Overflow" where parts.starts(with: ["Overflow", "Alert", "Source"]) && parts.count == 4:
            return NodeCompiler.sourceFields[parts[3]].map { .source($0) }
        default: return nil
        }
    }

    private static let sourceFields: [String: Static.SourceField] = [
        "Scope": .scope, "Value": .value, "IP": .ip, "Range": .range, "AsNumber": .asNumber, "AsName": .asName,
        "Cn": .cn,
    ]

    private func whitelist(_ config: WhitelistConfig) throws(ConfigError) -> Whitelist {
        var expressions: [Program] = []
        for expression in config.expressions { expressions.append(try program(expression)) }
        return Whitelist(
            reason: Immortal.copy(config.reason), ranges: AddressRanges(config.ranges), expressions: expressions)
    }

    private func stash(_ config: StashConfig) throws(ConfigError) -> StashStep {
        stashes.declare(config.name, size: config.size)
        return StashStep(
            name: config.name, key: try program(config.key), value: try program(config.value), ttl: config.ttl)
    }
}
