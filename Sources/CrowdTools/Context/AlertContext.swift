import CrowdCore
import CrowdEngine
import CrowdExpr

/// What agents add to alerts: expressions by the name under which their values are sent (engine facts E.7).
struct AlertContext: Equatable {
    private(set) var expressions: [String: [String]] = [:]

    var isEmpty: Bool { expressions.isEmpty }
    var names: [String] { expressions.keys.sorted() }
    subscript(_ name: String) -> [String] { expressions[name] ?? [] }

    /// The context file of the operator; a missing one is empty unless it has been named in the configuration.
    static func own(_ agent: AgentConfig) throws -> AlertContext {
        guard FileContents.exists(agent.contextPath) else {
            if agent.contextIsExplicit { throw CommandError("open \(agent.contextPath): no such file or directory") }
            return AlertContext()
        }
        var context = AlertContext()
        for document in try ConfigFile.documents(agent.contextPath) {
            if let document { try context.merge(document) }
        }
        return context
    }

    /// Everything that is sent: installed `contexts` items in the order of their files, then the operator's own.
    static func all(_ config: SuiteConfig, _ agent: AgentConfig) throws -> AlertContext {
        var context = AlertContext()
        let folder = config.paths.configDirectory + "/contexts"
        for name in FileContents.entries(folder) where name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            for document in try ConfigFile.documents(folder + "/" + name) {
                if let inner = try document?.anyMapping().present("context") { try context.merge(inner) }
            }
        }
        for (name, values) in try own(agent).expressions { for value in values { context.add(value, to: name) } }
        return context
    }

    /// - Returns: false if it is there already.
    @discardableResult
    mutating func add(_ expression: String, to name: String) -> Bool {
        guard !self[name].contains(expression) else { return false }
        expressions[name, default: []].append(expression)
        return true
    }

    private mutating func merge(_ node: YAMLNode) throws(ConfigError) {
        for entry in try node.anyMapping(type: "map[string][]string").entries {
            for expression in try entry.value.strings() { add(expression, to: entry.key) }
        }
    }

    var json: JSON {
        .object(names.map { JSONMember($0, .array(self[$0].map { .string($0) })) })
    }

    /// Why an expression cannot be used, in the words of the expression language.
    static func fault(in expression: String) -> String? {
        var environment = Environment(functions: CrowdSecFunctions.all())
        environment.declareEvent()
        ContextConfig.declare(in: &environment)
        do {
            _ = try Program(expression, in: environment)
            return nil
        } catch {
            let (line, column) = error.position(in: expression)
            return "\(error.message) (\(line):\(column))"
        }
    }
}
