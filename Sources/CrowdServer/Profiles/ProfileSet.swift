import CrowdCore
import CrowdExpr
import Logging

/// All profiles, in order (surface facts B.5, engine facts F).
struct ProfileSet: Sendable {
    let profiles: [Profile]
    /// Judging an alert may wait for another host's answer, for seconds.
    let asksOthers: Bool

    init(_ profiles: [Profile]) {
        self.profiles = profiles
        asksOthers = profiles.contains { profile in
            (profile.filters + [profile.durationExpression].compactMap(\.self)).contains(where: \.asksOthers)
        }
    }

    /// Loads `path`, with the documents of `path.local` in front.
    static func load(_ path: String, language: ProfileLanguage) throws(ConfigError) -> ProfileSet {
        var documents = try ConfigFile.documents(path)
        if FileContents.exists(path + ".local") { documents = try ConfigFile.documents(path + ".local") + documents }
        var profiles: [Profile] = []
        for case let document? in documents { profiles.append(try Profile(from: document, language: language)) }
        guard !profiles.isEmpty else { throw ConfigError("zero profiles loaded for LAPI") }
        return ProfileSet(profiles)
    }

    /// What the profiles make of an alert.
    struct Verdict: Sendable, Equatable {
        var decisions: [Decision] = []
        /// Profiles that matched, for notifications.
        var matched: [String] = []
    }

    /// A profile without `on_error` failed: the whole request is refused with this text.
    struct EvaluationError: Error, CustomStringConvertible {
        var profile: String
        var reason: String
        var description: String { "error while evaluating profile \(profile): \(reason)" }
    }

    func judge(_ alert: Alert, logger: Logger) throws(EvaluationError) -> Verdict {
        var verdict = Verdict()
        let subject = AlertSubject(alert)
        for profile in profiles {
            let outcome = try profile.outcome(for: subject, logger: logger)
            if outcome == .stopped { break }
            guard outcome != .unmatched else { continue }
            verdict.matched.append(profile.name)
            if verdict.decisions.isEmpty && outcome == .matched {
                verdict.decisions = profile.decisions(for: alert, subject, logger: logger)
            }
            if profile.onSuccess == .break { break }
        }
        return verdict
    }
}

extension Profile {
    enum Outcome: Equatable {
        case matched
        /// `on_error: apply`: counts as matched, but decides nothing.
        case matchedWithoutDecisions
        case unmatched
        /// `on_error: break` after an earlier filter had matched.
        case stopped
    }

    /// Evaluates every filter; one true filter is a match.
    func outcome(for alert: AlertSubject, logger: Logger) throws(ProfileSet.EvaluationError) -> Outcome {
        var matched = false
        for filter in filters {
            do {
                let isTrue = try alert.bool(filter)
                matched = matched || isTrue
                if debug { logger.debug("Profile filter evaluated. profile=\(name) result=\(isTrue)") }
            } catch {
                logger.warning("Profile filter failed. profile=\(name) error=\(error)")
                switch onError {
                case .apply: return .matchedWithoutDecisions
                case .continue, .ignore: return .unmatched
                case .break: return matched ? .stopped : .unmatched
                case nil: throw ProfileSet.EvaluationError(profile: name, reason: "\(error)")
                }
            }
        }
        return matched ? .matched : .unmatched
    }

    func decisions(for alert: Alert, _ subject: AlertSubject, logger: Logger) -> [Decision] {
        decisions.map { template in
            var decision = Decision(
                origin: template.origin.map { "crowdsec/\($0)" } ?? "crowdsec", type: template.type,
                scope: template.scope ?? alert.source.scope, value: alert.source.value, scenario: alert.scenario,
                duration: duration(of: template, for: subject, logger: logger))
            decision.uuid = SecureRandom.uuid()
            decision.simulated = template.isSimulated || alert.simulated
            return decision
        }
    }

    private func duration(of template: DecisionTemplate, for alert: AlertSubject, logger: Logger) -> String {
        let written = template.duration ?? Self.defaultDuration
        guard let durationExpression else { return written }
        guard let text = (try? alert.text(durationExpression)) ?? nil, GoDuration(text, allowingDays: true) != nil
        else {
            logger.warning(
                "Profile duration_expr gave no duration, using the fixed one. profile=\(name) duration=\(written)")
            return written
        }
        return text
    }
}
