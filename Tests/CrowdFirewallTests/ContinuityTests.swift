import CrowdTestSupport
import Testing

/// Not one packet gets in: over kills, stops, starts, reboots, and without the Local API.
@Suite("Continuity", .serialized, .enabled(if: NetworkPair.isPossible, "needs network namespaces"))
struct ContinuityTests {
    @Test(arguments: ["203.0.113.1", "198.51.100.9", "2001:db8:1::5"])
    func noPacketOfAFloodGetsIn(_ attacker: String) throws {
        let stage = try PacketStage("f")
        stage.source.ban("203.0.113.1", "1h")
        stage.source.ban("198.51.100.0/24", "1h")
        stage.source.ban("2001:db8:1::/64", "1h")
        var bouncer = try stage.enforcing()
        let flood = try Flood(stage, from: attacker)
        defer { flood.end() }
        for round in 0..<6 {
            if round == 3 { stage.source.stop() }
            bouncer.signal(round % 2 == 0 ? 9 : 15)
            bouncer.wait()
            bouncer = try stage.start()
            #expect(stage.says(" starts", times: round + 2, seconds: 60))
            sleepMilliseconds(300)
        }
        bouncer.signal(1)
        #expect(stage.says(" starts", times: 8, seconds: 60), "a reload")
        let (came, past) = try flood.counts()
        #expect(came > 1000, "\(came) packets came: \(Command.text(stage.directory.path + "/flood"))")
        #expect(past == 0, "of \(came) packets \(past) got in")
        PacketStage.end(bouncer)
    }

    @Test func afterARebootTheSnapshotIsInForceWithoutALocalAPI() throws {
        let stage = try PacketStage("b")
        stage.source.ban("203.0.113.1", "1h")
        stage.source.ban("203.0.113.2", "6s", origin: "cscli")
        stage.source.ban("198.51.100.0/24", "1h")
        stage.source.ban("2001:db8:1::/64", "1h")
        stage.source.allow(["198.51.100.77"])
        let first = try stage.enforcing()
        #expect(try stage.network.waits(from: "198.51.100.77", reaches: true))
        PacketStage.end(first)
        stage.source.stop()
        // What a reboot leaves of the kernel's tables.
        try stage.network.onEdge("nft flush ruleset")
        #expect(try stage.network.reaches(from: "203.0.113.1"))
        let bouncer = try stage.start()
        for banned in ["203.0.113.1", "198.51.100.9", "2001:db8:1::5"] {
            #expect(try stage.network.waits(from: banned, reaches: false), "\(banned)")
        }
        #expect(try stage.network.waits(from: "203.0.113.2", reaches: true, seconds: 12), "what is over is over")
        #expect(try stage.network.reaches(from: "198.51.100.77"), "what was allowlisted still is")
        let verdict = try stage.ask("verify 203.0.113.1")
        #expect(verdict.output.contains("set crowdsec-blacklists-crowdsec,"), "\(verdict)")
        let status = try stage.ask("status")
        #expect(status.status == 1 && status.output.hasPrefix("no complete list of decisions yet"), "\(status)")
        try stage.network.onEdge("nft delete table ip crowdsec")
        #expect(try stage.network.waits(from: "203.0.113.1", reaches: false), "and repaired without a Local API")
        PacketStage.end(bouncer)
    }

    @Test(arguments: ["changed", "cut off", "signed with another key", "readable key"])
    func aSnapshotThatIsNotOursIsNotUsed(_ fault: String) throws {
        let stage = try PacketStage("x")
        stage.source.ban("203.0.113.1", "1h")
        PacketStage.end(try stage.enforcing())
        stage.source.stop()
        try stage.network.onEdge("nft flush ruleset")
        let path = stage.directory.path + "/state/decisions.snapshot"
        switch fault {
        case "changed": try Command.must("dd if=/dev/urandom of=\(path) bs=1 seek=60 count=8 conv=notrunc status=none")
        case "cut off": try Command.must("truncate -s -1 \(path)")
        case "readable key": try Command.must("chmod 644 \(stage.directory.path)/state/snapshot.key")
        default:
            try Command.must("dd if=/dev/zero of=\(stage.directory.path)/state/snapshot.key bs=32 count=1 status=none")
        }
        let bouncer = try stage.start()
        #expect(stage.says("The snapshot of the last decisions is not used"), "\(stage.log)")
        #expect(try stage.network.reaches(from: "203.0.113.1"))
        try stage.source.start()
        #expect(try stage.network.waits(from: "203.0.113.1", reaches: false))
        PacketStage.end(bouncer)
    }

    @Test func aLongOutageIsAFailedStateAndBansAreHeldIfWanted() throws {
        let stage = try PacketStage("o", ["outage_policy": "hold", "outage_after": "2s"])
        stage.source.ban("203.0.113.1", "9s")
        let bouncer = try stage.enforcing()
        #expect(try stage.proven().status == 0)
        stage.source.stop()
        #expect(stage.says("The Local API has been silent for long"))
        let status = try stage.ask("status")
        #expect(status.status == 1 && status.output.contains("has been SILENT for long"), "\(status)")
        sleepMilliseconds(7000)
        #expect(try !stage.network.reaches(from: "203.0.113.1"), "held beyond its end")
        stage.source.lift("203.0.113.1")
        try stage.source.start()
        #expect(try stage.network.waits(from: "203.0.113.1", reaches: true, seconds: 15), "until the Local API answers")
        #expect(try stage.proven().status == 0)
        PacketStage.end(bouncer)
    }

    @Test func allowlistedAddressesAreNeverDropped() throws {
        let stage = try PacketStage("w", ["allowlist": "[203.0.113.1, \"2001:db8:1::/96\"]", "update_frequency": "1s"])
        stage.source.allow(["198.51.100.0/28", "203.0.113.5"])
        stage.source.ban("203.0.113.1", "1h")
        stage.source.ban("198.51.100.0/24", "1h")
        stage.source.ban("2001:db8:1::/64", "1h")
        let bouncer = try stage.enforcing()
        #expect(try stage.network.waits(from: "198.51.100.3", reaches: true))
        for free in ["203.0.113.1", "2001:db8:1::5"] { #expect(try stage.network.reaches(from: free), "\(free)") }
        for banned in ["198.51.100.16", "2001:db8:1:0:1::5"] {
            #expect(try !stage.network.reaches(from: banned), "\(banned)")
        }
        #expect(try stage.proven().status == 0)
        #expect(try stage.ask("verify 198.51.100.3").output == "198.51.100.3 is not dropped: it is allowlisted\n")
        bouncer.signal(9)
        bouncer.wait()
        stage.source.stop()
        let again = try stage.start()
        #expect(stage.says("Decisions are not updated"))
        #expect(try stage.network.reaches(from: "198.51.100.3"), "nor while the Local API is away")
        stage.source.allow([])
        try stage.source.start()
        #expect(try stage.network.waits(from: "198.51.100.3", reaches: false, seconds: 20), "\(stage.log)")
        PacketStage.end(again)
    }

    @Test func connectionsOfABannedAddressAreCut() throws {
        let stage = try PacketStage("e", ["nftables_hooks": "[input]"])
        let rules = """
            table inet fw {
                chain c {
                    type filter hook input priority -20; policy accept;
                    ct state new counter
                }
            }
            """
        try stage.network.onEdge("nft -f \(stage.directory.write("fw.nft", rules))")
        let bouncer = try stage.enforcing()
        let flood = try Flood(stage, from: "203.0.113.1")
        defer { flood.end() }
        func tracked() throws -> Bool {
            try stage.network.onEdge("conntrack -L -s 203.0.113.1").contains("src=203.0.113.1")
        }
        for _ in 0..<100 where try !tracked() { sleepMilliseconds(20) }
        #expect(try tracked())
        stage.source.ban("203.0.113.1", "1h")
        #expect(stage.says("Connections of banned addresses cut"), "\(stage.log)")
        PacketStage.end(bouncer)
    }
}
