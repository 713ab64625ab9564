public import CrowdCore

/// A scenario as its YAML states it (engine facts E.1).
public struct ScenarioConfig: Sendable {
    public enum Kind: String, Sendable, CaseIterable { case leaky, trigger, counter, conditional, bayesian }

    public struct BayesianCondition: Sendable {
        public var condition: NodeConfig.Expression
        public var probabilityGivenEvil: Float
        public var probabilityGivenBenign: Float
        public var isGuillotine: Bool
    }

    public var kind: Kind
    public var name: String
    public var description: String
    public var filter: NodeConfig.Expression
    public var capacity = 0
    public var leakspeed: GoDuration?
    public var duration: GoDuration?
    public var groupBy: NodeConfig.Expression?
    public var distinct: NodeConfig.Expression?
    public var cancelOn: NodeConfig.Expression?
    public var overflowFilter: NodeConfig.Expression?
    public var condition: NodeConfig.Expression?
    public var blackhole: GoDuration?
    public var cacheSize = 0
    public var scopeType = "Ip"
    public var scopeExpression: NodeConfig.Expression?
    public var remediates = false
    public var reprocesses = false
    public var data: [DataFileConfig] = []
    public var bayesianPrior: Float = 0
    public var bayesianThreshold: Float = 0
    public var bayesianConditions: [BayesianCondition] = []
    public var mark: SourceMark
    /// SHA-256 of the document: what it says, not how it is laid out.
    public var digest: [UInt8]

    static let keys = [
        "format", "type", "name", "author", "description", "references", "debug", "filter", "capacity", "leakspeed",
        "duration", "groupby", "distinct", "cancel_on", "overflow_filter", "condition", "blackhole", "cache_size",
        "scope", "labels", "reprocess", "data", "bayesian_prior", "bayesian_threshold", "bayesian_conditions",
        "version",
        "profiling",
    ]

    public init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "leakybucket.BucketFactory", known: ScenarioConfig.keys)
        mark = node.mark
        digest = Digest.sha256(node.yamlText.utf8)
        name = try yaml.requiredString("name")
        description = try yaml.requiredString("description")
        let type = try yaml.requiredString("type")
        guard let kind = Kind(rawValue: type) else {
            throw ConfigError("unknown bucket type '\(type)'", at: yaml["type"]?.mark)
        }
        self.kind = kind
        guard let filter = try NodeConfig.Expression(yaml, "filter") else { throw yaml.missing("filter") }
        self.filter = filter
        capacity = try yaml.int("capacity") ?? 0
        leakspeed =
            try yaml.string("leakspeed").flatMap { $0.isEmpty ? nil : $0 } == nil ? nil : yaml.duration("leakspeed")
        duration = try yaml.duration("duration")
        groupBy = try NodeConfig.Expression(yaml, "groupby")
        distinct = try NodeConfig.Expression(yaml, "distinct")
        cancelOn = try NodeConfig.Expression(yaml, "cancel_on")
        overflowFilter = try NodeConfig.Expression(yaml, "overflow_filter")
        condition = try NodeConfig.Expression(yaml, "condition")
        blackhole = try yaml.duration("blackhole")
        cacheSize = try yaml.int("cache_size") ?? 0
        reprocesses = try yaml.bool("reprocess") ?? false
        try readScope(yaml)
        try readLabels(yaml)
        try readBayesian(yaml)
        for item in try yaml.present("data")?.sequence() ?? [] { data.append(try DataFileConfig(from: item)) }
        try validate()
    }

    private mutating func readScope(_ yaml: YAMLMapping) throws(ConfigError) {
        guard let node = yaml.present("scope") else { return }
        let scope = try node.mapping(type: "types.ScopeType", known: ["type", "expression", "filter"])
        if let type = try scope.string("type"), !type.isEmpty { scopeType = type }
        scopeExpression = try NodeConfig.Expression(scope, "expression")
    }

    /// Labels keep their YAML types: only the boolean `true` asks for remediation.
    private mutating func readLabels(_ yaml: YAMLMapping) throws(ConfigError) {
        guard let labels = try yaml.present("labels")?.anyMapping(), let value = labels.present("remediation") else {
            return
        }
        guard case .scalar(_, plain: true) = value.content else { return }
        remediates = (try? value.bool()) ?? false
    }

    private mutating func readBayesian(_ yaml: YAMLMapping) throws(ConfigError) {
        bayesianPrior = Float(try yaml.double("bayesian_prior") ?? 0)
        bayesianThreshold = Float(try yaml.double("bayesian_threshold") ?? 0)
        for node in try yaml.present("bayesian_conditions")?.sequence() ?? [] {
            let item = try node.mapping(
                type: "leakybucket.RawBayesianCondition",
                known: ["condition", "prob_given_evil", "prob_given_benign", "guillotine"])
            guard let condition = try NodeConfig.Expression(item, "condition") else { throw item.missing("condition") }
            bayesianConditions.append(
                BayesianCondition(
                    condition: condition, probabilityGivenEvil: Float(try item.double("prob_given_evil") ?? 0),
                    probabilityGivenBenign: Float(try item.double("prob_given_benign") ?? 0),
                    isGuillotine: try item.bool("guillotine") ?? false))
        }
    }

    private func validate() throws(ConfigError) {
        func refuse(_ text: String) -> ConfigError { ConfigError("scenario \(name): \(text)", at: mark) }
        let hasLeak = (leakspeed?.nanoseconds ?? 0) > 0
        switch kind {
        case .leaky:
            guard capacity > 0 else { throw refuse("bad capacity for leaky '\(capacity)'") }
            guard hasLeak else { throw refuse("leakspeed can't be empty for leaky") }
        case .trigger:
            guard capacity == 0 else { throw refuse("trigger bucket must have 0 capacity") }
        case .counter:
            guard (duration?.nanoseconds ?? 0) > 0 else { throw refuse("duration can't be empty for counter") }
            guard capacity == -1 else { throw refuse("counter bucket must have -1 capacity") }
        case .conditional:
            guard condition != nil else { throw refuse("conditional bucket must have a condition") }
            guard hasLeak else { throw refuse("leakspeed can't be empty for conditional bucket") }
        case .bayesian:
            guard !bayesianConditions.isEmpty else { throw refuse("bayesian bucket must have bayesian conditions") }
            guard bayesianPrior > 0, bayesianPrior <= 1 else { throw refuse("bayesian prior must be in (0, 1]") }
            guard bayesianThreshold > 0, bayesianThreshold <= 1 else {
                throw refuse("bayesian threshold must be in (0, 1]")
            }
            guard capacity == -1 else { throw refuse("bayesian bucket must have -1 capacity") }
        }
        if scopeType == "Ip", scopeExpression != nil { throw refuse("filter is mandatory for non-IP, non-Range scope") }
        if scopeType != "Ip", scopeType != "Range", scopeExpression == nil {
            throw refuse("expression is mandatory for scope '\(scopeType)'")
        }
    }
}
