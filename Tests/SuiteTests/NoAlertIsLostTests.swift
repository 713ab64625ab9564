import CrowdTestSupport
import Glibc
import Testing

@Suite("No alert is lost, none comes twice", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct NoAlertIsLostTests {
    private func sources(_ count: Int) -> [String] { (1...count).map { "198.51.100.\($0)" } }

    @Test func theLocalAPIIsAwayWhenTheAgentStarts() throws {
        let host = try TestHost()
        try host.register()
        let agent = try host.startAgent()
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.1"), to: host.followed)
        #expect(try host.waits { host.log("crowdsec.log").contains("No login to the Local API yet") })
        let lapi = try host.startLAPI()
        #expect(try host.alerts(about: ["198.51.100.1"]) == ["198.51.100.1"])
        #expect([agent.stop(), lapi.stop()] == [0, 0])
    }

    @Test func theLocalAPIIsKilledWhileAlertsAreRaised() throws {
        let host = try TestHost()
        try host.register()
        var lapi = try host.startLAPI()
        _ = try host.startAgent()
        let sources = sources(40)
        for (number, source) in sources.enumerated() {
            AttackLog.append(AttackLog.bruteForce(by: source), to: host.followed)
            usleep(20_000)
            if number % 10 == 5 {
                lapi.kill()
                lapi = try host.startLAPI()
            }
        }
        #expect(try host.alerts(about: sources, seconds: 40).sorted() == sources.sorted())
    }

    @Test func theAgentIsKilledWithAlertsInTheSpool() throws {
        let host = try TestHost()
        try host.register()
        let sources = sources(20)
        let agent = try host.startAgent()
        for source in sources { AttackLog.append(AttackLog.bruteForce(by: source), to: host.followed) }
        let spool = host.path + "/data/crowd-agent/alerts.spool"
        #expect(try host.waits { sources.allSatisfy { Command.text(spool).contains("\"\($0)\"") } })
        agent.kill()
        _ = [try host.startLAPI(), try host.startAgent()]
        #expect(try host.alerts(about: sources).sorted() == sources.sorted())
    }

    @Test func theAgentIsStoppedWithAlertsInTheSpool() throws {
        let host = try TestHost()
        try host.register()
        let agent = try host.startAgent()
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.1"), to: host.followed)
        usleep(500_000)
        #expect(agent.stop() == 0)
        _ = [try host.startLAPI(), try host.startAgent()]
        #expect(try host.alerts(about: ["198.51.100.1"]) == ["198.51.100.1"])
    }
}
