import CrowdTestSupport
import Testing

/// Real packets between two network namespaces, the real program, the kernel's own sets.
@Suite("Packets", .serialized, .enabled(if: NetworkPair.isPossible, "needs network namespaces"))
struct PacketTests {
    @Test func addressesAndRangesAreDroppedWhileTheyAreBanned() throws {
        let stage = try PacketStage("a")
        stage.source.ban("203.0.113.9", "1h")
        stage.source.ban("198.51.100.0/24", "1h")
        stage.source.ban("2001:db8:1::/64", "1h")
        stage.source.ban("::ffff:203.0.113.40", "1h")
        stage.source.ban("FR", "1h")
        let bouncer = try stage.enforcing()
        for banned in ["203.0.113.9", "198.51.100.1", "198.51.100.254", "2001:db8:1::77", "203.0.113.40"] {
            #expect(try !stage.network.reaches(from: banned), "\(banned)")
        }
        for free in ["203.0.113.10", "198.51.101.1", "2001:db8:2::77", "10.77.0.2"] {
            #expect(try stage.network.waits(from: free, reaches: true), "\(free)")
        }
        stage.source.ban("203.0.113.10", "1h", origin: "cscli")
        #expect(try stage.network.waits(from: "203.0.113.10", reaches: false))
        stage.source.lift("203.0.113.9")
        #expect(try stage.network.waits(from: "203.0.113.9", reaches: true))
        #expect(try !stage.network.reaches(from: "203.0.113.10"))
        PacketStage.end(bouncer)
        #expect(try !stage.network.reaches(from: "198.51.100.1"), "the sets outlive the process")
    }

    @Test func nestedRangesStayRightWhenOneEnds() throws {
        let stage = try PacketStage("n")
        stage.source.ban("198.51.100.0/24", "1h")
        stage.source.ban("198.51.100.0/28", "2h")
        stage.source.ban("198.51.100.64/26", "30m")
        let bouncer = try stage.enforcing()
        stage.source.lift("198.51.100.64/26")
        stage.source.ban("203.0.113.1", "1h")
        #expect(try stage.network.waits(from: "203.0.113.1", reaches: false))
        #expect(try !stage.network.reaches(from: "198.51.100.65"), "the outer range still holds")
        stage.source.lift("198.51.100.0/24")
        #expect(try stage.network.waits(from: "198.51.100.65", reaches: true))
        #expect(try !stage.network.reaches(from: "198.51.100.3"), "the inner range still holds")
        stage.source.lift("198.51.100.0/28")
        #expect(try stage.network.waits(from: "198.51.100.3", reaches: true))
        PacketStage.end(bouncer)
    }

    @Test func renewalsMoveTheEndAndBansExpire() throws {
        let stage = try PacketStage("r")
        stage.source.ban("203.0.113.1", "7s")
        stage.source.ban("203.0.113.2", "7s")
        stage.source.ban("203.0.113.3", "1h")
        stage.source.ban("198.51.100.0/24", "7s")
        let bouncer = try stage.enforcing()
        for banned in ["203.0.113.1", "203.0.113.2", "198.51.100.7"] {
            #expect(try !stage.network.reaches(from: banned), "\(banned)")
        }
        stage.source.ban("203.0.113.1", "1h")
        stage.source.ban("203.0.113.3", "2s")
        #expect(try stage.network.waits(from: "203.0.113.2", reaches: true, seconds: 15))
        #expect(try stage.network.waits(from: "203.0.113.3", reaches: true), "a shorter renewal counts")
        #expect(try stage.network.waits(from: "198.51.100.7", reaches: true))
        #expect(try !stage.network.reaches(from: "203.0.113.1"), "a longer renewal counts")
        PacketStage.end(bouncer)
    }

    @Test func killedAndRestartedWithoutALocalAPIKeepsEveryBan() throws {
        let stage = try PacketStage("k")
        stage.source.ban("203.0.113.1", "1h")
        stage.source.ban("198.51.100.0/24", "1h")
        stage.source.ban("203.0.113.2", "1h")
        let first = try stage.enforcing()
        let rules = try stage.dropRules()
        first.signal(9)
        first.wait()
        #expect(try !stage.network.reaches(from: "203.0.113.1"))
        // The Local API changes its mind meanwhile; until it has answered, what the kernel has stays in force.
        stage.source.lift("203.0.113.2")
        for _ in 0..<3 {
            let again = try stage.start()
            #expect(try !stage.network.reaches(from: "198.51.100.9"))
            again.signal(9)
            again.wait()
        }
        let last = try stage.start()
        #expect(try stage.network.waits(from: "203.0.113.2", reaches: true))
        #expect(try !stage.network.reaches(from: "203.0.113.1"))
        #expect(try !stage.network.reaches(from: "198.51.100.9"))
        #expect(try stage.dropRules() == rules, "rules do not pile up")
        PacketStage.end(last)
    }

    @Test(arguments: [
        "nft flush ruleset", "nft delete table ip crowdsec", "nft flush set ip crowdsec crowdsec-blacklists-crowdsec",
        "nft flush chain ip crowdsec crowdsec-chain-input", "nft insert rule ip crowdsec crowdsec-chain-input accept",
        "nft delete element ip crowdsec crowdsec-blacklists-crowdsec { 203.0.113.1 }",
    ])
    func damageIsRepaired(_ damage: String) throws {
        let stage = try PacketStage("d")
        stage.source.ban("203.0.113.1", "1h")
        let bouncer = try stage.enforcing()
        #expect(try !stage.network.reaches(from: "203.0.113.1"))
        try stage.network.onEdge(damage)
        #expect(try stage.network.waits(from: "203.0.113.1", reaches: false))
        for _ in 0..<500 where !stage.log.contains("The kernel differed from the decisions") { sleepMilliseconds(10) }
        #expect(stage.log.contains("The kernel differed from the decisions"), "\(stage.log)")
        PacketStage.end(bouncer)
    }

    @Test func startsBeforeTheLocalAPIAndStillEnforces() throws {
        let stage = try PacketStage("s")
        stage.source.ban("203.0.113.1", "1h")
        let bouncer = try stage.start()
        for _ in 0..<500 where !stage.log.contains("Decisions are not updated") { sleepMilliseconds(10) }
        #expect(stage.log.contains("Decisions are not updated"))
        try stage.source.start()
        #expect(try stage.network.waits(from: "203.0.113.1", reaches: false))
        PacketStage.end(bouncer)
    }
}
