import CrowdTestSupport
import Testing

/// `crowd-bouncer status` and `verify` on a real kernel.
@Suite("Questions to the bouncer", .serialized, .enabled(if: NetworkPair.isPossible, "needs network namespaces"))
struct QuestionTests {
    @Test func statusSaysWhetherTheKernelHasWhatWasDecided() throws {
        let stage = try PacketStage("q")
        #expect(try stage.ask("status").status == 2, "no bouncer runs")
        stage.source.ban("203.0.113.9", "1h")
        stage.source.ban("198.51.100.0/24", "1h")
        stage.source.ban("2001:db8:1::/64", "1h", origin: "cscli")
        let bouncer = try stage.enforcing()
        let proven = try stage.ask("status -o json")
        #expect(proven.status == 0)
        #expect(proven.output.contains(#""proven":true,"decided":3,"enforced":3,"drift":0,"refused":0,"repaired":0"#))
        #expect(try stage.ask("status").output.hasPrefix("the kernel enforces what is decided\n  decided        3\n"))
        // Asked before the next look at the kernel (every two seconds), or after the repair: one of both must show.
        try stage.network.onEdge("nft flush set ip crowdsec crowdsec-blacklists-crowdsec")
        let found = try stage.ask("status -o json")
        #expect(
            (found.status == 1 && found.output.contains(#""enforced":2,"drift":1"#))
                || (found.status == 0 && found.output.contains(#""repaired":1"#)), "\(found)")
        let isRepaired = try (0..<50).contains { _ in
            sleepMilliseconds(100)
            return try stage.ask("status -o json").output.contains(#""drift":0,"refused":0,"repaired":1"#)
        }
        #expect(isRepaired)
        PacketStage.end(bouncer)
        #expect(try stage.ask("status").status == 2)
    }

    @Test func verifyReadsTheKernel() throws {
        let stage = try PacketStage("v")
        stage.source.ban("203.0.113.9", "1h")
        stage.source.ban("198.51.100.0/24", "1h", origin: "cscli")
        stage.source.ban("2001:db8:1::/64", "1h")
        PacketStage.end(try stage.enforcing())
        for (address, status, text) in [
            ("203.0.113.9", Int32(0), "set crowdsec-blacklists-crowdsec, element 203.0.113.9, until 20"),
            ("198.51.100.77", 0, "set crowdsec-blacklists-cscli-ranges, element 198.51.100.0-198.51.100.255, until 20"),
            ("::ffff:203.0.113.9", 0, "203.0.113.9 meets drop: table ip crowdsec,"),
            ("2001:db8:1::5", 0, "rule in crowdsec6-chain-forward, crowdsec6-chain-input"),
            ("203.0.113.10", 1, "203.0.113.10 is not dropped: no set of ours holds it"),
            ("nonsense", 2, "verify needs an address"),
        ] {
            let answer = try stage.ask("verify \(address)")
            #expect(answer.status == status && answer.output.contains(text), "\(address): \(answer)")
        }
        #expect(try stage.ask("verify 203.0.113.9 -o json").output.contains(#""dropped":true"#))
        for chain in ["crowdsec-chain-input", "crowdsec-chain-forward"] {
            try stage.network.onEdge("nft flush chain ip crowdsec \(chain)")
        }
        let open = try stage.ask("verify 203.0.113.9")
        #expect(open.status == 1 && open.output.contains("no rule looks into the set that holds it"), "\(open)")
        #expect(try stage.network.waits(from: "203.0.113.9", reaches: true), "and so it is")
    }
}
