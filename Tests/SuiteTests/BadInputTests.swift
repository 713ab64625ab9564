import CrowdTestSupport
import Glibc
import Testing

@Suite("Bad input: a clear message, and the rest goes on", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct BadInputTests {
    @Test func anErrorInOneItemCostsThatItem() throws {
        let host = try TestHost()
        AttackLog.append("capacity: [5\n", to: host.path + "/etc/scenarios/crowd-http-probing.yaml")
        AttackLog.append("nosuchkey: 1\n", to: host.path + "/etc/parsers/s01-parse/crowd-endlessh.yaml")
        let result = try host.replay(Array(AttackLog.bruteForce(by: "198.51.100.1").utf8))
        #expect(try result.output.contains(Regex("crowd-http-probing\\.yaml:[0-9]+")))
        #expect(try result.output.contains(Regex("crowd-endlessh\\.yaml.*nosuchkey")))
        #expect(try result.output.contains(Regex("198\\.51\\.100\\.1.*crowd/ssh-bf")))
    }

    @Test func hostileLinesCostThemselves() throws {
        let host = try TestHost()
        var log = [UInt8](repeating: UInt8(ascii: "A"), count: 1 << 20) + [10]
        log += (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ $0 >> 8) } + [10]
        log += Array("Jun  1 00:00:00 web01 sshd[1]: Failed password for ".utf8) + [0xFF, 0xFE]
        log += Array(" from 198.51.100.9 port 1 ssh2\n\n\0\n".utf8)
        log += Array(AttackLog.bruteForce(by: "198.51.100.2").utf8)
        log += Array("Jun  1 00:00:00 web01 sshd[1]: Failed passw".utf8)
        let result = try host.replay(log)
        #expect(try result.output.contains(Regex("198\\.51\\.100\\.2.*crowd/ssh-bf")), "\(result)")
        #expect(!result.output.contains("198.51.100.9 "))
    }

    @Test func aMissingLogFileCostsThatFile() throws {
        let host = try TestHost()
        try host.follow([host.path + "/nothing-here.log", host.followed])
        try host.register()
        _ = [try host.startLAPI(), try host.startAgent()]
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.3"), to: host.followed)
        #expect(try host.alerts(about: ["198.51.100.3"]).count == 1)
        #expect(host.log("crowdsec.log").contains("nothing-here.log"))
    }

    @Test func aWrongKeyIsSaidAndBansStay() throws {
        let host = try TestHost()
        try host.register()
        _ = try host.startLAPI()
        try host.cscli("decisions add --ip 198.51.100.4")
        let bouncer = try host.startBouncer()
        #expect(try host.waits { try host.ruleset().contains("198.51.100.4") })
        #expect(bouncer.stop() == 0)
        try host.writeBouncerConfig(key: "wrong")
        let command = try Command(host.program("crowd-bouncer -c \(host.bouncerConfigPath)"))
        defer {
            command.signal(SIGTERM)
            command.wait()
        }
        #expect(try host.waits { host.log("crowdsec-firewall-bouncer.log").contains("access forbidden") })
        #expect(try host.ruleset().contains("198.51.100.4"))
    }

    @Test func aFullDiskIsSaidAndOverWhenThereIsSpace() throws {
        let host = try TestHost()
        let disk = host.path + "/small"
        mkdir(disk, 0o700)
        try Command.must("mount -t tmpfs -o size=2m tmpfs \(disk)")
        defer { _ = try? Command.run(["umount", "-l", disk]) }
        try host.localConfig(database: disk + "/crowdsec.db")
        try host.register()
        let lapi = try host.startLAPI()
        try host.cscli("decisions add --ip 198.51.100.5")
        _ = try? host.directory.write("small/filler", [UInt8](repeating: 1, count: 4 << 20))
        var refusal = ""
        for number in 1...40 where refusal.isEmpty {
            let result = try host.tryCscli("decisions add --ip 198.51.101.\(number)")
            if result.status != 0 { refusal = result.output }
        }
        #expect(refusal.lowercased().contains("error"))
        #expect(try host.log("crowdsec-lapi.log").contains(Regex("disk|full|space")))
        #expect(try host.cscli("decisions list -o json").contains("198.51.100.5"), "what was known still is")
        unlink(disk + "/filler")
        try host.cscli("decisions add --ip 198.51.102.1")
        #expect(lapi.stop() == 0)
    }
}
