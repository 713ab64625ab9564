import CrowdTestSupport
import Testing

/// Others that do not behave: the Local API, the disk, another bouncer, the operator's impatience, another program's table.
@Suite("Adversity", .serialized, .enabled(if: NetworkPair.isPossible, "needs network namespaces"))
struct AdversityTests {
    @Test func whateverTheLocalAPISaysBansStayAndTheNextGoodAnswerCounts() throws {
        let stage = try PacketStage("y", ["update_frequency": "100ms", "hold_seconds": "0", "resync_interval": "1s"])
        stage.source.ban("203.0.113.1", "1h")
        let bouncer = try stage.enforcing()
        let lift = #"{"new":[],"deleted":[{"value":"203.0.113.1","type":"ban","origin":"crowdsec"}]}"#
        var half = ScriptedServer.Response(200, lift)
        half.breaksAfter = half.body.count - 2
        stage.source.say([half, .init(200, "{}"), .init(500, "{}"), .init(301, lift, headers: [("Location", "/")])])
        for _ in 0..<400 where !stage.source.hasSaidAll { sleepMilliseconds(100) }
        #expect(stage.source.hasSaidAll)
        #expect(try !stage.network.reaches(from: "203.0.113.1"), "half an answer is none")
        stage.source.ban("203.0.113.2", "1h")
        #expect(try stage.network.waits(from: "203.0.113.2", reaches: false, seconds: 30))
        #expect(try !stage.network.reaches(from: "203.0.113.1"))
        PacketStage.end(bouncer)
    }

    @Test(arguments: ["full", "read-only"])
    func aDiskThatTakesNothingCostsTheSnapshotAndNothingElse(_ fault: String) throws {
        let stage = try PacketStage("d")
        let state = stage.directory.path + "/state"
        try Command.must("mkdir -m 700 \(state)")
        try Command.must("mount -t tmpfs -o size=16k,mode=700 crowd-test \(state)")
        defer { _ = try? Command.must("umount -l \(state)") }
        func snapshot() throws -> String { try Command.run(["cksum", "\(state)/decisions.snapshot"]).output }
        func changes(from before: String) throws -> Bool {
            for _ in 0..<200 {
                if try snapshot() != before { return true }
                sleepMilliseconds(100)
            }
            return false
        }
        let none = try snapshot()
        stage.source.ban("203.0.113.1", "1h")
        let bouncer = try stage.enforcing()
        #expect(try changes(from: none))
        let first = try snapshot()
        if fault == "full" {
            _ = try Command.run(["dd", "if=/dev/zero", "of=\(state)/other", "bs=1k", "status=none"])
        } else {
            try Command.must("mount -o remount,ro \(state)")
        }
        stage.source.ban("203.0.113.2", "1h")
        #expect(stage.says("Decisions would not outlast a reboot"), "\(stage.log)")
        for banned in ["203.0.113.1", "203.0.113.2"] { #expect(try !stage.network.reaches(from: banned)) }
        #expect(try snapshot() == first, "the last good one is still there")
        try Command.must(fault == "full" ? "rm \(state)/other" : "mount -o remount,rw \(state)")
        #expect(try changes(from: first), "and is followed by the next as soon as there is room")
        PacketStage.end(bouncer)
    }

    @Test func impatientReloadsLeaveOneBouncerAndOneSetOfRules() throws {
        let stage = try PacketStage("u")
        stage.source.ban("203.0.113.1", "1h")
        try stage.source.start()
        let bouncer = try stage.start()
        #expect(stage.says(" starts"))
        for round in 0..<12 {
            bouncer.signal(1)
            if round % 3 == 0 { sleepMilliseconds(150) }
        }
        #expect(try stage.network.waits(from: "203.0.113.1", reaches: false, seconds: 20))
        #expect(try stage.proven(seconds: 20).status == 0, "\(stage.log)")
        let once = try stage.dropRules()
        bouncer.signal(1)
        sleepMilliseconds(500)
        #expect(try stage.proven().status == 0 && stage.dropRules() == once)
        PacketStage.end(bouncer)
    }

    /// Not meant to be, and yet nobody gets in, nothing piles up and the two do not fight.
    @Test func twoBouncersOnOneTableAgree() throws {
        let stage = try PacketStage("z")
        stage.source.ban("203.0.113.1", "1h")
        stage.source.ban("198.51.100.0/24", "1h")
        let first = try stage.enforcing()
        let rules = try stage.dropRules()
        let second = try stage.start()
        #expect(stage.says("Decisions are in force", times: 2))
        #expect(stage.says("crowd-bouncer status will not find this bouncer"))
        sleepMilliseconds(5000)
        #expect(try stage.proven().status == 0 && stage.dropRules() == rules)
        #expect(!stage.log.contains("was changed by somebody else"), "\(stage.log)")
        for banned in ["203.0.113.1", "198.51.100.9"] { #expect(try !stage.network.reaches(from: banned)) }
        PacketStage.end(second)
        #expect(try !stage.network.reaches(from: "203.0.113.1"))
        PacketStage.end(first)
    }

    /// nftables lets a program own a table: nobody else may touch it.
    @Test func aTableThatAnotherProgramOwnsIsNamedAndTakenWhenItIsFree() throws {
        let stage = try PacketStage("w")
        let script = "(echo 'add table ip crowdsec { flags owner; }'; sleep 1000) | nft -i"
        let owner = try Command(["ip", "netns", "exec", stage.network.edge, "setsid", "sh", "-c", script])
        for _ in 0..<100 where try !stage.network.onEdge("nft list tables").contains("crowdsec") {
            sleepMilliseconds(20)
        }
        stage.source.ban("203.0.113.1", "1h")
        try stage.source.start()
        let refused = try stage.start()
        #expect(refused.wait() == 1)
        #expect(stage.log.contains("table crowdsec") && stage.log.contains("operation not permitted"), "\(stage.log)")
        try Command.must("kill -9 -- -\(owner.pid)")
        owner.wait()
        for _ in 0..<100 where try stage.network.onEdge("nft list tables").contains("crowdsec") {
            sleepMilliseconds(20)
        }
        let bouncer = try stage.enforcing(starting: false)
        #expect(try !stage.network.reaches(from: "203.0.113.1"))
        PacketStage.end(bouncer)
    }

    @Test func systemdIsToldWhatHappens() throws {
        let stage = try PacketStage("s")
        let path = stage.directory.path + "/notify"
        let socket = try DatagramReceiver(path: path)
        func hears(_ text: String) -> Bool {
            while let message = socket.next() {
                if message.split(separator: "\n").contains(where: { $0.hasPrefix(text) }) { return true }
            }
            return false
        }
        stage.source.ban("203.0.113.1", "1h")
        try stage.source.start()
        let bouncer = try stage.start(environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "600000"])
        #expect(hears("READY=1"))
        #expect(hears("STATUS=Enforcing 1 elements"))
        for _ in 0..<3 { #expect(hears("WATCHDOG=1")) }
        bouncer.signal(1)
        #expect(hears("RELOADING=1") && hears("READY=1"))
        stage.source.stop()
        #expect(hears("STATUS=Decisions are not updated"))
        bouncer.signal(15)
        #expect(hears("STOPPING=1"))
        #expect(bouncer.wait() == 0)
    }
}
