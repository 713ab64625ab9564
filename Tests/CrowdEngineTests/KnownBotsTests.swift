import CrowdCore
import CrowdTestSupport
import Synchronization
import Testing

@testable import CrowdEngine

@Suite("Known bots") struct KnownBotsTests {
    private static let lines = [
        #"{"name":"crawler","user_agent":"crawler|spider","rdns":["(^|\\.)crawl\\.example\\.org$"]}"#,
        #"{"name":"monitor","user_agent":"monitor","paths":["^/health(/|$)","^/status$"],"ranges":["10.42.0.0/16"],"ips":["192.0.2.77"]}"#,
        #"{"name":"anybody","ranges":["2001:db8::/32"]}"#,
    ]

    struct Visit: Sendable {
        var address: String
        var agent: String
        var path = "/"
        var isKnown: Bool
    }

    @Test(arguments: [
        Visit(address: "10.42.0.9", agent: "Monitor/1.0", path: "/status", isKnown: true),
        Visit(address: "192.0.2.77", agent: "x monitor", path: "/health/a", isKnown: true),
        Visit(address: "::ffff:10.42.0.9", agent: "monitor", path: "/status", isKnown: true),
        Visit(address: "10.42.0.9", agent: "monitor", path: "/other", isKnown: false),
        Visit(address: "10.42.0.9", agent: "curl", path: "/status", isKnown: false),
        Visit(address: "10.43.0.9", agent: "monitor", path: "/status", isKnown: false),
        Visit(address: "2001:db8::1", agent: "", isKnown: true),
        Visit(address: "198.51.100.1", agent: "Mozilla Spider/2", isKnown: true),
        Visit(address: "198.51.100.2", agent: "Mozilla Spider/2", isKnown: false),
        Visit(address: "198.51.100.3", agent: "Mozilla Spider/2", isKnown: false),
        Visit(address: "198.51.100.1", agent: "Mozilla", isKnown: false),
    ])
    func anAgentAloneShowsNothing(_ visit: Visit) throws {
        let bots = KnownBots(Self.lines)
        #expect(bots.problems.isEmpty)
        let names = ConfirmedNames { address in
            switch address.description {
            case "198.51.100.1": "a.crawl.example.org."
            // Its owner says so, the name's owner does not.
            case "198.51.100.2": "b.crawl.example.org."
            case "198.51.100.3": "evilcrawl.example.org."
            default: nil
            }
        } addresses: { name in
            ["a.crawl.example.org": ["203.0.113.1", "198.51.100.1"], "evilcrawl.example.org": ["198.51.100.3"]][name]
                ?? []
        }
        var (agent, path) = (visit.agent, visit.path)
        let address = try #require(IPAddress(visit.address))
        let isKnown = agent.withUTF8 { agent in
            path.withUTF8 { bots.includes(address, ByteSlice(agent), path: ByteSlice($0)) { names.find($0) } }
        }
        #expect(isKnown == visit.isKnown)
    }

    @Test(arguments: [
        ("not json", "bot number 1"), ("[]", "not a JSON object"), (#"{"ips":["192.0.2.1"]}"#, "it has no name"),
        (#"{"name":"a","user_agent":"x"}"#, "none of ips, ranges, rdns"),
        (#"{"name":"a","ips":["x"]}"#, "'x' is no address"), (#"{"name":"a","ranges":["1.2.3.4/99"]}"#, "no range"),
        (#"{"name":"a","rdns":["("]}"#, "bot number 1"), (#"{"name":"a","ips":"x"}"#, "not a list"),
        (#"{"name":"a","address":"x"}"#, "unknown key 'address'"),
    ])
    func wrongLinesCostThemselves(line: String, problem: String) {
        let bots = KnownBots([line, Self.lines[2]])
        #expect(bots.problems.count == 1 && bots.problems[0].contains(problem), "\(bots.problems)")
        let visitor = IPAddress("2001:db8::1")
        #expect(visitor.map { bots.includes($0, ByteSlice("x"), path: ByteSlice("/")) { _ in nil } } == true)
    }

    @Test func namesAreAskedOnce() {
        let asked = Mutex(0)
        let names = ConfirmedNames { _ in
            asked.withLock { $0 += 1 }
            return "host.example.org."
        } addresses: { _ in
            ["192.0.2.1"]
        }
        guard let address = IPAddress("192.0.2.1"), let other = IPAddress("192.0.2.2") else { return }
        for _ in 0..<3 { #expect(names.find(address) == "host.example.org" && names.find(other) == nil) }
        #expect(asked.withLock { $0 } == 2)
        #expect(names.find(address, now: .now() + .seconds(301)) == "host.example.org")
        #expect(asked.withLock { $0 } == 3)
    }

    /// From the data file of an item to the filter of a scenario.
    @Test func aScenarioLeavesThemAlone() throws {
        let scenario = """
            type: trigger
            name: test/others
            description: who is no known bot
            filter: "!MatchKnownBot(evt.Meta.source_ip, evt.Meta.user, '/status', 'bots/mine.json')"
            groupby: evt.Meta.source_ip
            labels: {remediation: true}
            data:
              - {source_url: https://example.org/mine.json, dest_file: bots/mine.json, type: bots}
            """
        let folder = try TemporaryDirectory()
        let file = try folder.write("mine.json", "# ours\n" + Self.lines.joined(separator: "\n") + "\n")
        let harness = try EngineHarness(scenarios: [scenario]) { $0.resolveData = { _, _ in file } }
        #expect(harness.content.refused.isEmpty && harness.content.warnings.isEmpty)
        harness.run([
            EngineHarness.line("10.42.0.9", 0, user: "monitor"), EngineHarness.line("10.44.0.9", 1, user: "monitor"),
        ])
        #expect(harness.alerts.map(\.source.value) == ["10.44.0.9"])
    }
}
