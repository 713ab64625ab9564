import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdEngine

@Suite("Alert context") struct ContextTests {
    static let scenario = """
        type: leaky
        name: test/s
        description: two events
        filter: evt.Meta.log_type == 'test'
        capacity: 1
        leakspeed: 1h
        groupby: evt.Meta.source_ip
        """

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var contexts: [String]
        var limit = 4_000
        var meta: [String]
    }

    @Test(arguments: [
        Case(
            testDescription: "distinct values of several events", contexts: ["context:\n  u: [evt.Meta.user]\n"],
            meta: [#"u=["a","b"]"#]),
        Case(
            testDescription: "names are sorted, expressions of one name joined, empty values left out",
            contexts: [
                "context:\n  z: [evt.Meta.source_ip]\n  a: [evt.Meta.nothing]\n",
                "context:\n  z: [\"'x' + evt.Meta.user\", evt.Meta.source_ip]\n",
            ], meta: [#"z=["192.0.2.1","xa","xb"]"#]),
        Case(
            testDescription: "numbers, lists and what is not there",
            contexts: ["context:\n  n: [\"1 + 1\", \"['p', 'q', 'p']\", \"nil\", \"true\"]\n"],
            meta: [#"n=["2","p","q","true"]"#]),
        Case(
            testDescription: "Parsed is looked at too", contexts: ["context:\n  p: [evt.Parsed.ip]\n"],
            meta: [#"p=["192.0.2.1"]"#]),
        Case(
            testDescription: "as Go writes JSON", contexts: ["context:\n  h: [\"'<&>'\"]\n"],
            meta: [#"h=["\u003c\u0026\u003e"]"#]),
        Case(
            testDescription: "values go from the end until the list fits",
            contexts: ["context:\n  u: [evt.Meta.user]\n"],
            limit: 6, meta: [#"u=["a"]"#]),
        Case(
            testDescription: "a single value is halved", contexts: ["context:\n  u: [\"'1234567890'\"]\n"], limit: 12,
            meta: [#"u=["12345..."]"#]),
        Case(
            testDescription: "no match and no request outside of the firewall",
            contexts: [
                "context:\n  m: [\"match.uri != nil ? match.uri : ''\", \"req.Method != '' ? JA4H(req) : ''\"]\n"
            ],
            meta: []),
        Case(
            testDescription: "one wrong expression leaves the others",
            contexts: ["context:\n  u: [\"evt.Meta.user +\", evt.Meta.user]\n"], meta: [#"u=["a","b"]"#]),
    ])
    func showsValues(_ one: Case) throws {
        let harness = try EngineHarness(scenarios: [Self.scenario], contexts: one.contexts) {
            $0.contextValueBytes = one.limit
        }
        harness.run([EngineHarness.line("192.0.2.1", 0, user: "a"), EngineHarness.line("192.0.2.1", 1, user: "b")])
        let alert = try #require(harness.alerts.first)
        #expect(alert.meta.map { "\($0.key)=\($0.value)" } == one.meta)
    }

    @Test func allContextsOfTheHubLoad() throws {
        guard let hub = SharedMaterial.path("hub/contexts/crowdsecurity") else { return }
        var items = ContentFiles.Installed()
        items.contexts = FileContents.entries(hub).map { ItemFile(path: hub + "/" + $0) }
        #expect(items.contexts.count == 9)
        var loader = ContentLoader(patternDirectory: "/nonexistent", dataDirectory: "/nonexistent")
        #expect(loader.load(items).refused == [])
    }
}
