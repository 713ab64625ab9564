import CrowdCore

/// An expression over one alert, compiled when the profiles are loaded.
protocol ProfileExpression: Sendable {
    /// The value for this alert; throws when the evaluation fails.
    func evaluate(_ alert: Alert) throws -> ProfileValue
}

/// What an expression of a profile may give.
enum ProfileValue: Sendable, Equatable {
    case bool(Bool)
    case text(String)
    /// Anything else; the text names its type.
    case other(String)
}

/// Compiles the expressions of profiles. The only place that knows the expression language.
protocol ProfileCompiler: Sendable {
    /// - Parameter isFilter: the expression must give a boolean; otherwise it must give a duration's text.
    func compile(_ source: String, isFilter: Bool) throws(ProfileCompileError) -> any ProfileExpression
}

struct ProfileCompileError: Error, Equatable, CustomStringConvertible {
    var message: String
    var description: String { message }
}
