import CrowdCore
import CrowdExpr

/// One document of profiles.yaml (surface facts B.5), compiled.
struct Profile: Sendable {
    enum OnSuccess: String, CaseIterable { case `continue`, `break` }
    /// Accepted and checked; the reference gives it no effect, so neither do we.
    enum OnFailure: String, CaseIterable { case `continue`, `break`, apply }
    enum OnError: String, CaseIterable { case `continue`, `break`, apply, ignore }

    struct DecisionTemplate: Sendable, Equatable {
        var type: String
        /// As written; nil is the default of four hours.
        var duration: String?
        var scope: String?
        var isSimulated = false
        var origin: String?
    }

    static let defaultDuration = "4h"

    var name: String
    var debug = false
    var filters: [Program] = []
    var decisions: [DecisionTemplate] = []
    var durationExpression: Program?
    var notifications: [String] = []
    var onSuccess = OnSuccess.continue
    var onError: OnError?
}

extension Profile {
    static let keys = [
        "name", "debug", "filters", "decisions", "duration_expr", "on_success", "on_failure", "on_error",
        "notifications",
    ]

    /// Decodes one document; everything that can be refused is refused here, with its place.
    init(from node: YAMLNode, language: ProfileLanguage) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.ProfileCfg", known: Self.keys)
        name = try yaml.string("name") ?? ""
        guard !name.isEmpty else { throw ConfigError("name can't be empty for profile", at: yaml.mark) }
        debug = try yaml.bool("debug") ?? false
        notifications = try yaml.strings("notifications") ?? []
        onSuccess = try yaml.choice("on_success") ?? onSuccess
        let _: OnFailure? = try yaml.choice("on_failure")
        onError = try yaml.choice("on_error")
        if let node = yaml.present("duration_expr") {
            durationExpression = try Self.compile(node, "duration_expr", language.duration)
        }
        for node in try yaml.present("filters")?.sequence() ?? [] {
            filters.append(try Self.compile(node, "filter", language.filter))
        }
        for node in try yaml.present("decisions")?.sequence() ?? [] {
            decisions.append(try DecisionTemplate(from: node, checksDuration: durationExpression == nil))
        }
    }

    private static func compile(
        _ node: YAMLNode, _ what: String, _ compile: (String) throws(ExprError) -> Program
    ) throws(ConfigError) -> Program {
        let source = try node.string()
        do { return try compile(source) } catch {
            throw ConfigError("error compiling \(what) '\(source)': \(error)", at: node.mark)
        }
    }
}

extension Profile.DecisionTemplate {
    private static let keys = [
        "type", "duration", "scope", "simulated", "origin", "value", "scenario", "id", "uuid", "until",
    ]

    init(from node: YAMLNode, checksDuration: Bool) throws(ConfigError) {
        let yaml = try node.mapping(type: "models.Decision", known: Self.keys)
        type = try yaml.requiredString("type")
        duration = try yaml.string("duration")
        scope = try yaml.string("scope").map(Scope.normalized)
        isSimulated = try yaml.bool("simulated") ?? false
        origin = try yaml.string("origin")
        if checksDuration, let duration, GoDuration(duration, allowingDays: true) == nil {
            throw ConfigError("error parsing duration '\(duration)'", at: yaml.present("duration")?.mark)
        }
    }
}
