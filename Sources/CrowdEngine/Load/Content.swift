public import CrowdCore
import CrowdExpr
import CrowdText

/// Everything that was loaded, compiled: shared by all workers, replaced as a whole on a reload.
public final class Content: @unchecked Sendable {
    // Sendable: immutable once loaded; `data` and `keys` lock for themselves.
    public let keys: KeyTable
    public let parsers: Stages
    public let postoverflows: Stages
    public let scenarios: [Scenario]
    let context: AlertContext
    public let data: DataFiles
    /// Items left out, each with its reason. The rest works without them.
    public let refused: [ConfigError]
    /// What was accepted though it will not do what was meant.
    public let warnings: [ConfigError]
    public let usesJIT: Bool
    let scenarioIndex: ScenarioIndex

    init(
        keys: KeyTable, parsers: Stages, postoverflows: Stages, scenarios: [Scenario], context: AlertContext,
        data: DataFiles, refused: [ConfigError], warnings: [ConfigError], usesJIT: Bool, scenarioIndex: ScenarioIndex
    ) {
        self.keys = keys
        self.parsers = parsers
        self.postoverflows = postoverflows
        self.scenarios = scenarios
        self.context = context
        self.data = data
        self.refused = refused
        self.warnings = warnings
        self.usesJIT = usesJIT
        self.scenarioIndex = scenarioIndex
    }

    /// What a line is parsed to depends on the lines before it: parsers keep stashes.
    public var needsOrder: Bool { !data.stashes.isEmpty }

    /// Names for the Local API's list of scenarios, sorted without regard to case.
    public var scenarioNames: [String] {
        Set(scenarios.map(\.name)).sorted { ($0.lowercased(), $0) < ($1.lowercased(), $1) }
    }
}

/// Reads and compiles installed items (engine facts B.1, E.1).
///
/// An item that is wrong is left out and reported with file, line and key; it never stops the others.
public struct ContentLoader {
    public var patternDirectory: String
    public var dataDirectory: String
    public var simulation = SimulationConfig()
    /// False leaves all matching to RE2.
    public var acceleratesRegex = true
    /// False tries every node and scenario on every event: for tests of the index.
    public var usesIndex = true
    /// Asked by the method `reverse_dns`.
    var reverseDNS = ReverseDNS()
    /// What expressions may ask of other hosts.
    public var outside = OutsideWorld()
    public var report: @Sendable (String) -> Void = { _ in }
    /// Where a data file lies, by its URL and its name; by default its name in the data directory.
    public var resolveData: (@Sendable (_ url: String, _ name: String) -> String)?

    /// The operator's own alert context, read after the installed items; nil for none.
    public var contextPath: String?
    /// Longest value list of a context, in bytes of its JSON.
    public var contextValueBytes = 4_000

    /// Hash and version of hub items, by the path they are installed at; an item that is not here is the operator's own.
    public var hubItems: [String: (hash: String, version: String)] = [:]

    /// A node that runs first in the first stage: a hub test's `override_statics`.
    public var overrides: YAMLNode?

    private var refused: [ConfigError] = []
    private var warnings: [ConfigError] = []

    public init(patternDirectory: String, dataDirectory: String) {
        self.patternDirectory = patternDirectory
        self.dataDirectory = dataDirectory
    }

    public mutating func load(_ items: ContentFiles.Installed) -> Content {
        refused = []
        warnings = []
        let keys = KeyTable()
        let directory = dataDirectory
        let resolve = resolveData ?? { _, name in directory + "/" + name }
        let data = DataFiles(
            resolve: { resolve($0.sourceURL, $0.destination) }, outside: outside.naming(reverseDNS), report: report)
        var environment = Environment(keys: keys, functions: CrowdSecFunctions.all(data))
        environment.declareEvent()
        environment.files = data
        let groks = library()
        let parsers = stages(items.parsers, environment, data, groks, overrides: overrides)
        let postoverflows = stages(items.postoverflows, environment, data, groks, overrides: nil)
        let context = context(items.contexts, environment)
        let scenarios = scenarios(items.scenarios, environment, data, keepingAll: context.needsWholeEvents)
        let index = ScenarioIndex(scenarios, environment, indexed: usesIndex)
        if usesIndex { environment.needles.seal() }
        return Content(
            keys: keys, parsers: parsers, postoverflows: postoverflows, scenarios: scenarios, context: context,
            data: data, refused: refused, warnings: warnings, usesJIT: groks.usesJIT, scenarioIndex: index)
    }

    /// The standard names, then pattern files: those without a dot in their name, all read as one (so their order does not
    /// matter).
    private mutating func library() -> GrokLibrary {
        var library = GrokLibrary.standard(accelerated: acceleratesRegex)
        var text = ""
        for name in ContentFiles.entries(patternDirectory) where !name.contains(".") {
            let path = patternDirectory + "/" + name
            do {
                text += String(decoding: try FileContents.read(path), as: UTF8.self) + "\n"
            } catch {
                refused.append(error)
            }
        }
        for error in library.register(lines: text) {
            warnings.append(ConfigError("\(patternDirectory): \(error)"))
        }
        return library
    }

    private mutating func documents(_ path: String) -> [YAMLNode] {
        do {
            return try YAML.documents(FileContents.read(path), file: path).compactMap { $0 }
        } catch {
            refused.append(error)
            return []
        }
    }

    /// Whether a document's `format` is one we know; a document of another is skipped with a warning.
    private mutating func isSupported(_ node: YAMLNode) -> Bool {
        guard case .mapping(let pairs) = node.content,
            let format = pairs.first(where: { (try? $0.key.string()) == "format" })?.value,
            let text = try? format.string()
        else { return true }
        guard let version = Double(text.split(separator: ".").prefix(2).joined(separator: ".")) else {
            refused.append(ConfigError("invalid format version '\(text)'", at: format.mark))
            return false
        }
        guard version >= 1, version <= 3 else {
            warnings.append(ConfigError("format \(text) is not supported (1.0 to 3.0): skipped", at: format.mark))
            return false
        }
        return true
    }

    private mutating func load(_ files: [DataFileConfig], into data: DataFiles) {
        for file in files {
            if let error = data.load(file) { warnings.append(error) }
        }
    }

    // MARK: parsers

    private mutating func stages(
        _ items: [ItemFile], _ environment: Environment, _ data: DataFiles, _ groks: GrokLibrary,
        overrides: YAMLNode?
    ) -> Stages {
        var compiler = NodeCompiler(environment: environment, stashes: data.stashes, groks: groks)
        compiler.enrichers["ParseDate"] = DateEnricher(keys: environment.keys)
        compiler.enrichers["UnmarshalJSON"] = JSONEnricher()
        compiler.enrichers["reverse_dns"] = ReverseDNSEnricher(reverseDNS, environment.keys)
        var stages: [(name: String, nodes: [Node])] = []
        func add(_ document: YAMLNode, _ stage: String) {
            do {
                let config = try NodeConfig(from: document)
                if config.isAnonymous { return }
                load(config.data, into: data)
                if !config.data.isEmpty { openDatabases(data, environment.keys, &compiler) }
                let node = try compiler.compile(config)
                if let index = stages.firstIndex(where: { $0.name == stage }) {
                    stages[index].nodes.append(node)
                } else {
                    stages.append((stage, [node]))
                }
            } catch {
                refused.append(error)
            }
        }
        if let overrides { add(overrides, "s00-raw") }
        for item in items {
            for document in documents(item.path) where isSupported(document) { add(document, item.stage) }
        }
        warnings += compiler.warnings
        stages.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return Stages(stages, keys: environment.keys, patternCount: compiler.groks.compiledCount, indexed: usesIndex)
    }

    /// GeoIP databases that an item has named; one that cannot be opened leaves its methods without effect.
    private mutating func openDatabases(_ data: DataFiles, _ keys: KeyTable, _ compiler: inout NodeCompiler) {
        for (name, path) in data.databases where name.hasSuffix(".mmdb") {
            let isASN = name.contains("ASN")
            guard compiler.enrichers[isASN ? "GeoIpASN" : "GeoIpCity"] == nil else { continue }
            do {
                let database = try GeoDatabase(path: path)
                if isASN {
                    data.geo.system = database
                    compiler.enrichers["GeoIpASN"] = AddressEnricher(SystemLookup(database: database), keys)
                    compiler.enrichers["IpToRange"] = AddressEnricher(NetworkLookup(database: database), keys)
                } else {
                    data.geo.city = database
                    compiler.enrichers["GeoIpCity"] = AddressEnricher(CityLookup(database: database), keys)
                }
            } catch {
                warnings.append(error)
            }
        }
    }

    // MARK: contexts

    private mutating func context(_ items: [ItemFile], _ environment: Environment) -> AlertContext {
        var config = ContextConfig()
        func merge(_ node: YAMLNode?) {
            guard let node else { return }
            do { try config.merge(node) } catch { refused.append(error) }
        }
        for item in items {
            for document in documents(item.path) { merge((try? document.anyMapping())?.present("context")) }
        }
        if let contextPath {
            for document in documents(contextPath) where !document.isNull { merge(document) }
        }
        var environment = environment
        AlertContext.declare(in: &environment)
        var programs: [String: [Program]] = [:]
        for (name, expression) in config.expressions {
            do {
                programs[name, default: []].append(try Program(expression, in: environment))
            } catch {
                refused.append(error)
            }
        }
        let names = programs.keys.sorted().map { ($0, programs[$0] ?? []) }
        return AlertContext(names, limit: contextValueBytes)
    }

    // MARK: scenarios

    private mutating func scenarios(
        _ items: [ItemFile], _ environment: Environment, _ data: DataFiles, keepingAll: Bool
    ) -> [Scenario] {
        let compiler = ScenarioCompiler(environment: environment)
        var scenarios: [Scenario] = []
        for item in items {
            for document in documents(item.path) where isSupported(document) {
                do {
                    let config = try ScenarioConfig(from: document)
                    load(config.data, into: data)
                    scenarios.append(
                        try compiler.compile(
                            config, number: scenarios.count, isSimulated: simulation.isSimulated(config.name),
                            hubItem: hubItems[item.path] ?? ("", ""), keepingAll: keepingAll))
                } catch {
                    refused.append(error)
                }
            }
        }
        return scenarios
    }
}

/// Compiles a scenario's expressions, each in the environment it is given at run time.
struct ScenarioCompiler {
    private let environment: Environment
    /// With `queue` and `leaky` beside `evt`.
    private let bucketEnvironment: Environment

    init(environment: Environment) {
        self.environment = environment
        var bucket = environment
        bucket.declare("queue", .object(BucketObject.queueType))
        bucket.declare("leaky", .object(BucketObject.bucketType))
        bucket.declare("signal", .any)
        bucketEnvironment = bucket
    }

    /// - Parameter keepingAll: something outside the scenario looks at its events beyond their Meta.
    func compile(
        _ config: ScenarioConfig, number: Int, isSimulated: Bool, hubItem: (hash: String, version: String),
        keepingAll: Bool
    ) throws(ConfigError) -> Scenario {
        var programs = Scenario.Programs(filter: try program(config.filter))
        programs.groupBy = try config.groupBy.map { (text) throws(ConfigError) in try program(text) }
        programs.distinct = try config.distinct.map { (text) throws(ConfigError) in try program(text) }
        programs.cancelOn = try config.cancelOn.map { (text) throws(ConfigError) in try program(text) }
        programs.scope = try config.scopeExpression.map { (text) throws(ConfigError) in try program(text) }
        programs.condition = try config.condition.map { (text) throws(ConfigError) in try program(text, bucket: true) }
        programs.overflowFilter = try config.overflowFilter.map { (text) throws(ConfigError) in
            try program(text, bucket: true)
        }
        for item in config.bayesianConditions { programs.bayesian.append(try program(item.condition, bucket: true)) }
        return Scenario(
            config, number: number, programs: programs, isSimulated: isSimulated, hash: hubItem.hash,
            version: hubItem.version, keepsWholeEvents: keepingAll)
    }

    private func program(_ expression: NodeConfig.Expression, bucket: Bool = false) throws(ConfigError) -> Program {
        try Program(expression, in: bucket ? bucketEnvironment : environment)
    }
}

/// `UnmarshalJSON` as a method: the raw line's members become `evt.Unmarshaled`.
struct JSONEnricher: Enricher {
    func enrich(_ value: ByteSlice, _ event: Event) {
        try? ValueJSON.parse(event.line.raw, into: event.unmarshaled, arena: event.arena)
    }
}
