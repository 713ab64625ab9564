import CrowdTestSupport
import Testing

/// The other back ends, and nftables with somebody else's table.
@Suite("Modes", .serialized, .enabled(if: NetworkPair.isPossible, "needs network namespaces"))
struct ModeTests {
    private static let hasIpset = (try? Command.run(["ipset", "--version"]).status) == 0
    private static let chains = """
        table inet edge {
            chain in4 { type filter hook input priority 0; policy accept; ip saddr @crowdsec-blacklists drop
                ip6 saddr @crowdsec6-blacklists drop
            }
        }
        """

    private func setOnly(_ name: String, _ sets: String) throws -> PacketStage {
        let stage = try PacketStage(
            name,
            [
                "nftables": "{ipv4: {set-only: true, table: edge}, ipv6: {set-only: true, table: edge}}",
                "allowlist": "[198.51.100.7]",
            ])
        try stage.network.onEdge("nft -f \(stage.directory.write("sets.nft", "table inet edge {\n\(sets)\n}\n"))")
        return stage
    }

    private func addRules(_ stage: PacketStage) throws {
        try stage.network.onEdge("nft -f \(stage.directory.write("rules.nft", Self.chains))")
    }

    private func ban(_ stage: PacketStage) {
        stage.source.ban("203.0.113.9", "1h")
        stage.source.ban("198.51.100.0/24", "1h", origin: "cscli")
        stage.source.ban("2001:db8:1::/64", "1h")
    }

    @Test func setOnlyFillsTheSetsOfSomebodyElsesTable() throws {
        let stage = try setOnly("so", "")
        ban(stage)
        let bouncer = try stage.enforcing()
        try addRules(stage)
        for banned in ["203.0.113.9", "198.51.100.200", "2001:db8:1::77"] {
            #expect(try !stage.network.reaches(from: banned), "\(banned)")
        }
        for free in ["203.0.113.10", "198.51.100.7", "2001:db8:2::77"] {
            #expect(try stage.network.waits(from: free, reaches: true), "\(free)")
        }
        #expect(try stage.proven().status == 0)
        // Overlap of two origins in one set: one ends, the other holds.
        stage.source.ban("198.51.100.200", "1h")
        stage.source.ban("203.0.113.77", "1h")
        #expect(try stage.network.waits(from: "203.0.113.77", reaches: false))
        stage.source.lift("198.51.100.0/24", origin: "cscli")
        #expect(try stage.network.waits(from: "198.51.100.3", reaches: true))
        #expect(try !stage.network.reaches(from: "198.51.100.200"))
        #expect(try stage.proven().status == 0)
        let verdict = try stage.ask("verify 198.51.100.200")
        #expect(
            verdict.status == 0 && verdict.output.contains("table inet edge, set crowdsec-blacklists"), "\(verdict)")
        try stage.network.onEdge("nft flush set inet edge crowdsec-blacklists")
        #expect(try stage.network.waits(from: "198.51.100.200", reaches: false), "repaired")
        PacketStage.end(bouncer)
        #expect(try !stage.network.reaches(from: "203.0.113.9"), "the sets outlive the process")
    }

    @Test func setOnlySaysWhatASetForAddressesCannotHold() throws {
        let stage = try setOnly(
            "sh",
            """
            set crowdsec-blacklists { type ipv4_addr; flags timeout; }
            set crowdsec6-blacklists { type ipv6_addr; flags timeout; }
            """)
        ban(stage)
        let bouncer = try stage.enforcing()
        try addRules(stage)
        #expect(try !stage.network.reaches(from: "203.0.113.9"))
        stage.source.ban("203.0.113.10", "1h")
        #expect(try stage.network.waits(from: "203.0.113.10", reaches: false))
        stage.source.lift("203.0.113.9")
        #expect(try stage.network.waits(from: "203.0.113.9", reaches: true))
        let answer = try stage.ask("status")
        #expect(answer.status == 1 && answer.output.contains("has no flag interval and holds no ranges"), "\(answer)")
        PacketStage.end(bouncer)
    }

    @Test func setOnlyNeedsTheTable() throws {
        let stage = try PacketStage(
            "sn", ["nftables": "{ipv4: {set-only: true, table: nowhere}, ipv6: {enabled: false}}"])
        let bouncer = try stage.start()
        #expect(bouncer.wait() == 1)
        #expect(stage.log.contains("find table nowhere: no such file or directory"), "\(stage.log)")
    }

    @Test(.enabled(if: hasIpset, "needs ipset and iptables"))
    func iptablesModeDropsAddressesAndRanges() throws {
        let stage = try PacketStage(
            "ip", ["mode": "iptables", "iptables_chains": "[INPUT, FORWARD]", "allowlist": "[198.51.100.7]"])
        ban(stage)
        let bouncer = try stage.enforcing()
        for banned in ["203.0.113.9", "198.51.100.200", "2001:db8:1::77"] {
            #expect(try !stage.network.reaches(from: banned), "\(banned)")
        }
        for free in ["203.0.113.10", "198.51.100.7", "2001:db8:2::77"] {
            #expect(try stage.network.waits(from: free, reaches: true), "\(free)")
        }
        stage.source.ban("203.0.113.10", "1h", origin: "a new/origin with a long name")
        #expect(try stage.network.waits(from: "203.0.113.10", reaches: false))
        stage.source.ban("203.0.113.30", "8s")
        #expect(try stage.network.waits(from: "203.0.113.30", reaches: false))
        #expect(try stage.network.waits(from: "203.0.113.30", reaches: true, seconds: 20), "it ends")
        stage.source.lift("203.0.113.9")
        #expect(try stage.network.waits(from: "203.0.113.9", reaches: true))
        #expect(try stage.proven().output.contains("enforced       3\n"))
        #expect(try stage.ask("verify 198.51.100.3").output.contains("set crowdsec-blacklists-cscli-r, element 198.51"))
        for damage in ["iptables -F CROWDSEC_CHAIN", "iptables -D INPUT -j CROWDSEC_CHAIN", "ipset flush"] {
            try stage.network.onEdge(damage)
            #expect(try stage.network.waits(from: "198.51.100.200", reaches: false), "\(damage)")
        }
        PacketStage.end(bouncer)
        #expect(try !stage.network.reaches(from: "198.51.100.200"), "the sets outlive the process")
        let again = try stage.enforcing(starting: false)
        #expect(try stage.proven().status == 0)
        let rules = try stage.network.onEdge("iptables-save")
        #expect(rules.split(separator: "\n").filter { $0 == "-A INPUT -j CROWDSEC_CHAIN" }.count == 1, "\(rules)")
        #expect(rules.contains(#"--comment "CrowdSec: crowdsec-blacklists-cscli" -j DROP"#), "\(rules)")
        PacketStage.end(again)
    }

    @Test(.enabled(if: hasIpset, "needs ipset and iptables"))
    func iptablesModeLeavesNothingWhenAskedTo() throws {
        let stage = try PacketStage(
            "ic",
            [
                "mode": "iptables", "iptables_chains": "[INPUT]", "on_stop": "clean", "deny_log": "true",
                "deny_action": "REJECT", "reject_with": "tcp-reset",
            ])
        ban(stage)
        let bouncer = try stage.enforcing()
        let rules = try stage.network.onEdge("iptables-save")
        for line in [
            #"-A CROWDSEC_LOG -j LOG --log-prefix "crowdsec drop: ""#,
            "-A CROWDSEC_LOG -p tcp -j REJECT --reject-with tcp-reset",
            "-A CROWDSEC_LOG -j REJECT --reject-with icmp-port-unreachable",
        ] {
            #expect(rules.contains(line + "\n"), "\(rules)")
        }
        PacketStage.end(bouncer)
        for command in ["iptables-save", "ip6tables-save", "ipset list"] {
            let left = try stage.network.onEdge(command)
            #expect(!left.lowercased().contains("crowdsec"), "\(left)")
        }
    }

    @Test(.enabled(if: hasIpset, "needs ipset and iptables"))
    func ipsetModeFillsSetsThatAreThere() throws {
        let stage = try PacketStage("is", ["mode": "ipset", "allowlist": "[198.51.100.7]"])
        let refused = try stage.start()
        #expect(refused.wait() == 1)
        #expect(
            stage.log.contains("use ipset crowdsec-blacklists, which must be there of type hash:net"), "\(stage.log)")
        try stage.network.onEdge("ipset create crowdsec-blacklists hash:net timeout 300")
        try stage.network.onEdge("ipset create crowdsec6-blacklists hash:net family inet6 timeout 300")
        try stage.network.onEdge("iptables -A INPUT -m set --match-set crowdsec-blacklists src -j DROP")
        try stage.network.onEdge("ip6tables -A INPUT -m set --match-set crowdsec6-blacklists src -j DROP")
        ban(stage)
        let bouncer = try stage.enforcing()
        for banned in ["203.0.113.9", "198.51.100.200", "2001:db8:1::77"] {
            #expect(try !stage.network.reaches(from: banned), "\(banned)")
        }
        #expect(try stage.network.waits(from: "198.51.100.7", reaches: true), "allowlisted addresses are left out")
        #expect(try stage.proven().status == 0)
        stage.source.lift("198.51.100.0/24", origin: "cscli")
        #expect(try stage.network.waits(from: "198.51.100.200", reaches: true))
        PacketStage.end(bouncer)
    }
}
