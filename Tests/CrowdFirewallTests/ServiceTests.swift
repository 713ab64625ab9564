import CrowdCore
import CrowdLAPI
import Synchronization
import Testing

@testable import CrowdFirewall

private func decision(_ value: String, _ duration: String = "1h", type: String = "ban") -> StreamDecision {
    var decision = StreamDecision()
    decision.value = value
    decision.duration = duration
    decision.type = type
    decision.origin = "crowdsec"
    return decision
}

@Suite("Decisions to bans") struct DecisionCollectorTests {
    private func collect(_ decisions: [StreamDecision], deleted: Bool = false) -> DecisionCollector.Batch {
        let collector = DecisionCollector(types: ["ban"], families: [.v4, .v6], origins: OriginTable()) { 1000 }
        for decision in decisions { collector.take(isDeleted: deleted, decision) }
        return collector.finish().batch
    }

    @Test(arguments: [
        ("203.0.113.9", Family.v4, "203.0.113.9"), ("::ffff:203.0.113.9", .v4, "203.0.113.9"),
        ("203.0.113.0/24", .v4, "203.0.113.0-203.0.113.255"), ("203.0.113.77/24", .v4, "203.0.113.0-203.0.113.255"),
        ("::ffff:203.0.113.0/120", .v4, "203.0.113.0-203.0.113.255"),
        ("2001:db8::/64", .v6, "2001:db8::-2001:db8::ffff:ffff:ffff:ffff"),
    ])
    func valuesBecomeSpans(_ value: String, _ family: Family, _ text: String) {
        let bans = collect([decision(value)]).new
        #expect(bans.map { $0.span.text($0.set.family) } == [text])
        #expect(bans.map(\.set) == [SetID(family: family, origin: 0)])
        #expect(bans.map(\.deadline) == [3_601_000])
    }

    @Test func whatCannotBeUsedDoesNotCostTheRest() {
        let batch = collect([
            decision("FR"), decision(""), decision("1.2.3.4", "0s"), decision("1.2.3.5", "-5s"),
            decision("1.2.3.6", "400ms"),
            decision("1.2.3.7", type: "captcha"), decision("1.2.3.8", "garbage"), decision("1.2.3.9", type: "Ban"),
            decision("1.2.3.10", "9999999h"),
        ])
        #expect(
            batch.unreadable == 2 && batch.examples == ["FR", ""] && batch.otherTypes == 1 && batch.alreadyOver == 3)
        #expect(batch.new.map { $0.deadline - 1000 }.prefix(2) == [4 * 3_600_000, 3_600_000])
        #expect(batch.new.count == 3)
    }

    @Test func durationsCountFromTheAnswerNotFromTheRequest() {
        let time = Mutex<Deadline>(1000)
        let collector = DecisionCollector(types: ["ban"], families: [.v4], origins: OriginTable()) {
            time.withLock { $0 }
        }
        time.withLock { $0 = 31_000 }
        collector.take(isDeleted: false, decision("1.2.3.4"))
        time.withLock { $0 = 40_000 }
        collector.take(isDeleted: false, decision("1.2.3.5"))
        #expect(collector.finish().batch.new.map(\.deadline) == [3_631_000, 3_631_000])
    }

    @Test func deletionsNeedNoDuration() {
        #expect(collect([decision("1.2.3.4", "-5s")], deleted: true).deleted.count == 1)
    }
}

@Suite("Pace of the stream") struct StreamPaceTests {
    @Test func heldAnswersAreAskedAgainAtOnceOthersPolled() {
        var pace = StreamPace(updateFrequency: .seconds(10))
        #expect(pace.wantsEverything(at: 0))
        #expect(pace.failed(random: 0.5) == .seconds(1))
        #expect(pace.failed(random: 0.5) == .seconds(2))
        func answered(held: Bool, empty: Bool = true, everything: Bool = false, took: GoDuration = .zero) -> GoDuration
        {
            pace.answered(isHeld: held, isEmpty: empty, wasEverything: everything, took: took, at: 0, random: 0.5)
        }
        #expect(answered(held: false, everything: true) == .zero)
        #expect(!pace.wantsEverything(at: 0))
        #expect(answered(held: true, took: .seconds(30)) == .zero)
        #expect(answered(held: true, empty: false) == .zero)
        #expect(answered(held: true) == .seconds(10))
        #expect(answered(held: false, empty: false) == .seconds(10))
    }

    @Test func everythingIsAskedForAgainAfterSilenceAndNowAndThen() {
        var pace = StreamPace(updateFrequency: .seconds(10), resyncInterval: .seconds(3600))
        func answered(_ everything: Bool, at now: Deadline) {
            _ = pace.answered(
                isHeld: true, isEmpty: true, wasEverything: everything, took: .zero, at: now, random: 0.5)
        }
        answered(true, at: 0)
        answered(false, at: 500_000)
        #expect(!pace.wantsEverything(at: 1_099_000) && pace.wantsEverything(at: 1_100_000), "silence")
        for minute in 9..<60 as Range<Deadline> { answered(false, at: minute * 60_000) }
        #expect(!pace.wantsEverything(at: 3_599_000) && pace.wantsEverything(at: 3_600_000), "now and then")
        answered(true, at: 3_600_000)
        #expect(!pace.wantsEverything(at: 3_600_000))
        pace.forget()
        #expect(pace.wantsEverything(at: 3_600_000))
    }

    @Test func failuresWaitNoLongerThanTenSeconds() {
        var pace = StreamPace(updateFrequency: .milliseconds(100))
        #expect((0..<6).map { _ in pace.failed(random: 0.5).seconds } == [1, 2, 4, 8, 10, 10])
    }
}

@Suite("crowdsec-firewall-bouncer.yaml") struct FirewallConfigTests {
    private func config(_ text: String) throws -> FirewallConfig {
        try FirewallConfig(from: try #require(try YAML.document(Array(text.utf8), file: "b.yaml")))
    }

    @Test func theShippedFileIsRead() throws {
        let config = try config(
            """
            mode: nftables
            pid_dir: /var/run/
            update_frequency: 10s
            daemonize: true
            log_mode: file
            log_dir: /var/log/
            log_level: info
            log_compression: true
            log_max_size: 100
            log_max_backups: 3
            log_max_age: 30
            api_url: http://127.0.0.1:8080/
            api_key: abc
            insecure_skip_verify: false
            disable_ipv6: false
            deny_action: drop
            deny_log: true
            deny_log_prefix: "crowdsec: "
            supported_decisions_types: [Ban]
            blacklists_ipv4: crowdsec-blacklists
            blacklists_ipv6: crowdsec6-blacklists
            ipset_type: nethash
            iptables_chains: [INPUT]
            nftables:
              ipv4: {enabled: true, set-only: false, table: crowdsec, chain: crowdsec-chain, priority: -10}
              ipv6: {enabled: true, set-only: false, table: crowdsec6, chain: crowdsec6-chain, priority: -10}
            nftables_hooks: [input, forward]
            pf: {anchor_name: ""}
            prometheus: {enabled: false, listen_addr: 127.0.0.1, listen_port: 60601}
            """)
        #expect(config.warnings.isEmpty)
        #expect(
            config.v4.priority == -10 && config.hooks == [.input, .forward] && config.denyLogPrefix == "crowdsec: ")
        #expect(
            config.decisionTypes == ["ban"] && config.logging.policy.maxBytes == 100 << 20 && config.onStop == .keep)
    }

    @Test(arguments: [
        ("mode: pf\napi_url: x\napi_key: k", "b.yaml:1:7: firewall 'pf' is BSD's: use nftables, iptables or ipset"),
        (
            "mode: iptables\napi_url: x\napi_key: k\niptables_chains: [--flush]",
            "b.yaml:4:19: iptables_chains: '--flush' is no chain name"
        ),
        (
            "mode: iptables\napi_url: x\napi_key: k\nipset_type: iphash",
            "b.yaml:4:13: ipset_type 'iphash' holds no ranges: use nethash"
        ),
        (
            "mode: nftables\napi_url: x\napi_key: k\nnftables_hooks: [ingress]",
            "b.yaml:4:18: nftables hook 'ingress' is not supported: it needs a table of family netdev and a device, "
                + "use prerouting"
        ),
        (
            "mode: nftables\napi_url: x\napi_key: k\nallowlist: [10.0.0.0/8, home]",
            "b.yaml:4:25: allowlist: 'home' is neither address nor range"
        ),
        ("mode: foo\napi_url: x\napi_key: k", "b.yaml:1:7: firewall 'foo' is not supported"),
        ("api_url: x", "config does not contain mode"),
        ("mode: nftables", "b.yaml:1:1: config does not contain LAPI url"),
        ("mode: nftables\napi_url: x", "config does not contain LAPI key or certificate"),
        (
            "mode: nftables\napi_url: x\napi_key: k\ndisable_ipv4: true\ndisable_ipv6: true",
            "both IPv4 and IPv6 disabled, doing nothing"
        ),
        (
            "mode: nftables\napi_url: x\napi_key: k\ndeny_action: tarpit",
            "b.yaml:4:14: invalid deny_action 'tarpit', must be one of DROP, REJECT"
        ),
    ])
    func mistakesAreRefused(_ text: String, _ message: String) {
        let error = #expect(throws: ConfigError.self) { try config(text) }
        #expect(error?.description == message)
    }

    @Test func unknownKeysAreToldOnceAndIgnored() throws {
        let config = try config("mode: nftables\napi_url: x\napi_key: k\nfoo: 1\nnftables: {ipv4: {bar: 2}}")
        #expect(config.warnings.contains("b.yaml:4:1: unknown key 'foo' is ignored"))
        #expect(config.warnings.contains("b.yaml:5:19: unknown key 'bar' is ignored"))
    }
}
