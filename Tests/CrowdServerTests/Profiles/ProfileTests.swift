import CrowdCore
import CrowdStore
import Logging
import Testing

@testable import CrowdServer

@Suite("Profiles") struct ProfileTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var yaml: String
        /// `type duration origin` of each decision.
        var decisions: [String]
        var matched: [String]
    }

    static let ban = "decisions:\n - type: ban\n"

    @Test(arguments: [
        Case(
            testDescription: "the default duration is four hours", yaml: "name: a\nfilters: ['true']\n" + ban,
            decisions: ["ban 4h crowdsec"], matched: ["a"]),
        Case(
            testDescription: "two true filters decide once", yaml: "name: a\nfilters: ['true', 'true']\n" + ban,
            decisions: ["ban 4h crowdsec"], matched: ["a"]),
        Case(
            testDescription: "a false filter does not stop a true one",
            yaml: "name: a\non_failure: break\nfilters: ['false', 'true']\n" + ban, decisions: ["ban 4h crowdsec"],
            matched: ["a"]),
        Case(
            testDescription: "the first match decides, later ones only match",
            yaml: "name: a\nfilters: ['true']\n\(ban)---\nname: b\nfilters: ['true']\ndecisions:\n - type: captcha\n",
            decisions: ["ban 4h crowdsec"], matched: ["a", "b"]),
        Case(
            testDescription: "on_success break stops",
            yaml: "name: a\non_success: break\nfilters: ['true']\n\(ban)---\nname: b\nfilters: ['true']\n",
            decisions: ["ban 4h crowdsec"], matched: ["a"]),
        Case(
            testDescription: "a computed duration",
            yaml: "name: a\nfilters: ['Alert.GetScope() == \"Ip\"']\nduration_expr: \"Sprintf('%dh', 2 * 3)\"\n" + ban,
            decisions: ["ban 6h crowdsec"], matched: ["a"]),
        Case(
            testDescription: "a computed duration that is none leaves the fixed one",
            yaml: "name: a\nfilters: ['true']\nduration_expr: \"'soon'\"\ndecisions:\n - type: ban\n   duration: 1h\n",
            decisions: ["ban 1h crowdsec"], matched: ["a"]),
        Case(
            testDescription: "an own origin",
            yaml: "name: a\nfilters: ['true']\ndecisions:\n - type: ban\n   origin: edge\n   duration: 2d\n",
            decisions: ["ban 2d crowdsec/edge"], matched: ["a"]),
        Case(
            testDescription: "nothing matches", yaml: "name: a\nfilters: ['Alert.Simulated']\n" + ban, decisions: [],
            matched: []),
        Case(
            testDescription: "on_error apply matches without decisions",
            yaml: "name: a\non_error: apply\nfilters: ['Alert.Events[9].Timestamp == \"\"']\n" + ban, decisions: [],
            matched: ["a"]),
        Case(
            testDescription: "on_error continue goes on",
            yaml:
                "name: a\non_error: continue\nfilters: ['Alert.Events[9].Timestamp == \"\"']\n\(ban)---\nname: b\n"
                + "filters: ['true']\n" + ban,
            decisions: ["ban 4h crowdsec"], matched: ["b"]),
    ])
    func judge(_ case: Case) throws {
        let verdict = try profiles(`case`.yaml).judge(alert, logger: Logger(label: "test"))
        #expect(verdict.decisions.map { "\($0.type) \($0.duration) \($0.origin)" } == `case`.decisions)
        #expect(verdict.matched == `case`.matched)
    }

    @Test func anErrorWithoutOnErrorFails() throws {
        let set = try profiles("name: a\nfilters: ['Alert.Events[9].Timestamp == \"\"']\n" + Self.ban)
        #expect(throws: ProfileSet.EvaluationError.self) { try set.judge(alert, logger: Logger(label: "test")) }
    }

    @Test(arguments: [
        ("filters: ['true']", "name can't be empty"),
        ("name: a\nfoo: 1", "field foo not found in type csconfig.ProfileCfg"),
        ("name: a\nfilters: ['Alert.Nope']", "error compiling filter"),
        ("name: a\nfilters: ['1 + 1']", "expected bool"),
        ("name: a\ndecisions:\n - type: ban\n   duration: soon", "soon"),
        ("name: a\non_success: maybe", "maybe"),
    ])
    func refuses(_ yaml: String, _ message: String) {
        #expect {
            _ = try profiles(yaml)
        } throws: { error in "\(error)".contains(message) && "\(error)".contains("profiles.yaml:") }
    }

    /// What profiles ask about a value that was decided about before: a ban for an hour, one for four, one that ended.
    @Test(arguments: [
        ("GetDecisionsCount(Alert.GetValue()) == 3", true), ("GetActiveDecisionsCount(Alert.GetValue()) == 2", true),
        ("GetDecisionsSinceCount(Alert.GetValue(), '1h') == 2", true), ("GetDecisionsCount('192.0.2.9') == 0", true),
        ("GetActiveDecisionsTimeLeft(Alert.GetValue()) > duration('3h')", true),
        ("GetActiveDecisionsTimeLeft(Alert.GetValue()) > duration('4h')", false),
        ("GetActiveDecisionsTimeLeft('192.0.2.9') == duration('0s')", true),
    ])
    func asksForEarlierDecisions(_ filter: String, _ holds: Bool) throws {
        let memory = DecisionMemory()
        let now = Timestamp.now()
        let spans: [(begun: Int64, ends: Int64)] = [(7_200, -3_600), (60, 3_600), (60, 4 * 3_600 - 60)]
        for (number, span) in spans.enumerated() {
            memory.add(
                [
                    DecisionRecord(
                        id: Int64(number + 1), createdAt: now - .seconds(span.begun), until: now + .seconds(span.ends),
                        scenario: "x", type: "ban", scope: "Ip", value: "192.0.2.1", origin: "cscli", simulated: false,
                        uuid: "", alertID: 1)
                ], now: now - .seconds(span.begun))
        }
        let language = ProfileLanguage(ProfileResources(decisions: memory))
        let set = try profiles("name: a\nfilters: [\"\(filter)\"]\n" + Self.ban, language)
        #expect(try set.judge(alert, logger: Logger(label: "test")).matched == (holds ? ["a"] : []))
    }

    private var alert: Alert {
        var alert = Alert()
        alert.scenario = "acme/ssh-bf"
        alert.source = AlertSource(scope: "Ip", value: "192.0.2.1")
        return alert
    }

    private func profiles(_ yaml: String, _ language: ProfileLanguage = ProfileLanguage()) throws -> ProfileSet {
        let documents = try YAML.documents(Array(yaml.utf8), file: "profiles.yaml")
        return ProfileSet(
            try documents.compactMap { $0 }.map { node in try Profile(from: node, language: language) })
    }
}
