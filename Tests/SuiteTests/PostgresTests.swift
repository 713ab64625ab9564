import CrowdCore
import CrowdTestSupport
import Testing

/// The programs over PostgreSQL: several Local APIs, and `cscli` on the database itself.
@Suite(
    "Over PostgreSQL", .enabled(if: TestHost.isPossible && PostgresServer.shared != nil), .timeLimit(.minutes(10)))
struct PostgresTests {
    private let host: TestHost

    init() throws {
        host = try TestHost()
        let section = try TestDatabase.postgresql.yaml(in: host.directory)
        try host.localConfig(databaseSection: section)
        // The second one has an address of its own and everything else in common.
        let second = Command.text(host.configPath).replacing("127.0.0.1:8080", with: "127.0.0.1:8090")
        try host.directory.write("etc/second.yaml", second.replacing("listen_port: 6060", with: "listen_port: 6070"))
        try host.directory.write("etc/second.yaml.local", Command.text(host.configPath + ".local"))
    }

    /// The address of every ban that a Local API hands out.
    private func bans(port: Int, key: String) throws -> [String] {
        let address = "http://127.0.0.1:\(port)/v1/decisions"
        let answer = try Command.run(
            ["ip", "netns", "exec", host.space, "curl", "-sf", "-H", "X-Api-Key: \(key)", address])
        return (try JSON.parse(Array(answer.output.utf8)).array ?? []).compactMap { $0["value"]?.string }
    }

    @Test func twoServersAndCscliOnOneDatabase() throws {
        try host.register()
        let key = try #require(host.cscli("bouncers add second -o raw").split(separator: "\n").last.map { String($0) })
        let first = try host.startLAPI()
        let other = try host.startLAPI(configuration: "second.yaml")
        try host.cscli("decisions add --ip 192.0.2.1 --duration 4h")
        #expect(try host.waits { try bans(port: 8090, key: key) == ["192.0.2.1"] })
        // `cscli` in the database, the servers beside it.
        try host.cscli("allowlists create friends --description d")
        try host.cscli("allowlists add friends 192.0.2.1")
        for port in [8080, 8090] { #expect(try host.waits { try bans(port: port, key: key).isEmpty }, "\(port)") }
        let late = try #require(host.cscli("bouncers add late -o raw").split(separator: "\n").last.map { String($0) })
        #expect(try bans(port: 8090, key: late) == [])
        #expect(try host.cscli("machines list -o raw").contains("edge01"))
        #expect(try host.cscli("bouncers list -o raw").contains("late"))
        #expect(try host.cscli("alerts list -o raw").contains("192.0.2.1"))
        try host.cscli("bouncers delete late")
        #expect([first.stop(), other.stop()] == [0, 0])
    }

    @Test func agentsAlertsGoThere() throws {
        try host.register()
        let lapi = try host.startLAPI()
        let agent = try host.startAgent()
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.1"), to: host.followed)
        #expect(try host.alerts(about: ["198.51.100.1"]) == ["198.51.100.1"])
        #expect([agent.stop(), lapi.stop()] == [0, 0])
    }
}
