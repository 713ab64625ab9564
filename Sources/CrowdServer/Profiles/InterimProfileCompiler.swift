import CrowdCore

extension ProfileSet {
    /// What compiles the expressions of profiles.
    static let compiler: any ProfileCompiler = InterimProfileCompiler()
}

/// Understands conjunctions of `Alert.Remediation == true`, `Alert.GetScope() == "x"` and `Alert.GetScenario() == "x"`,
/// which the shipped profiles are made of.
struct InterimProfileCompiler: ProfileCompiler {
    func compile(_ source: String, isFilter: Bool) throws(ProfileCompileError) -> any ProfileExpression {
        guard isFilter else { throw ProfileCompileError(message: "duration_expr is not supported") }
        var conditions: [Conjunction.Condition] = []
        for part in source.replacing("&&", with: "\n").split(separator: "\n") {
            let text = part.filter { $0 != " " }
            if text == "Alert.Remediation==true" {
                conditions.append(.remediation)
            } else if let value = Self.quoted(text, after: "Alert.GetScope()==") {
                conditions.append(.scope(value))
            } else if let value = Self.quoted(text, after: "Alert.GetScenario()==") {
                conditions.append(.scenario(value))
            } else {
                throw ProfileCompileError(message: "expression '\(part)' is not supported")
            }
        }
        return Conjunction(conditions: conditions)
    }

    private static func quoted(_ text: String, after prefix: String) -> String? {
        guard text.hasPrefix(prefix) else { return nil }
        let rest = text.dropFirst(prefix.count)
        guard rest.count >= 2, let quote = rest.first, quote == "\"" || quote == "'", rest.last == quote else {
            return nil
        }
        return String(rest.dropFirst().dropLast())
    }

    private struct Conjunction: ProfileExpression {
        enum Condition {
            case remediation
            case scope(String)
            case scenario(String)
        }

        var conditions: [Condition]

        func evaluate(_ alert: Alert) -> ProfileValue {
            .bool(
                conditions.allSatisfy { condition in
                    switch condition {
                    case .remediation: alert.remediation
                    case .scope(let scope): alert.source.scope == scope
                    case .scenario(let scenario): alert.scenario == scenario
                    }
                })
        }
    }
}
