import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

@Suite("Agent and Local API, real processes", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct AgentContactTests {
    private func machine(_ host: TestHost) throws -> JSON {
        try JSON.parse(Array(host.cscli("machines inspect edge01 -o json").utf8))
    }

    @Test func theLocalAPIKnowsWhatAnAgentReads() throws {
        let host = try TestHost()
        try host.register()
        let lapi = try host.startLAPI()
        let agent = try host.startAgent()
        #expect(try host.waits { try machine(host)["datasources"]?["file"]?.int == 1 })
        #expect(try machine(host)["version"]?.string?.isEmpty == false)
        #expect([agent.stop(), lapi.stop()] == [0, 0])
    }

    /// Deleted at the Local API while the agent was away: with a token it comes back by itself.
    @Test func aMachineThatWasDeletedRegistersAnew() throws {
        let token = String(repeating: "t", count: 40)
        let host = try TestHost()
        try host.register()
        let local = Command.text(host.configPath + ".local")
        try host.directory.write(
            "etc/config.yaml.local",
            local.replacing(
                "server: {",
                with: "server: {auto_registration: {enabled: true, token: \(token), allowed_ranges: [127.0.0.0/8]}, "))
        try host.cscli("machines delete edge01")
        let lapi = try host.startLAPI()
        let agent = try host.startAgent(environment: ["CROWD_REGISTRATION_TOKEN": token])
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.1"), to: host.followed)
        #expect(try host.alerts(about: ["198.51.100.1"]) == ["198.51.100.1"])
        #expect(host.log("crowdsec.log").contains("has registered anew"))
        #expect([agent.stop(), lapi.stop()] == [0, 0])
    }
}
