public import CrowdCore
public import CrowdExpr

/// What is added to alerts: expressions by the name under which their values are sent (engine facts E.7).
public struct ContextConfig: Sendable {
    /// In order of loading, without repetitions.
    public private(set) var expressions: [(name: String, expression: NodeConfig.Expression)] = []

    public init() {}

    /// What context expressions know beside `evt`.
    public static func declare(in environment: inout Environment) { AlertContext.declare(in: &environment) }

    /// Reads a mapping of names to lists of expressions.
    public mutating func merge(_ node: YAMLNode) throws(ConfigError) {
        for entry in try node.anyMapping(type: "map[string][]string").entries {
            for text in try entry.value.strings() {
                guard !expressions.contains(where: { $0.name == entry.key && $0.expression.text == text }) else {
                    continue
                }
                expressions.append((entry.key, NodeConfig.Expression(text: text, mark: entry.value.mark)))
            }
        }
    }
}
