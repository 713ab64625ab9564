import CrowdCore
import CrowdLAPI
import CrowdTestSupport
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
        var seldom = StreamPace(updateFrequency: .seconds(900))
        _ = seldom.answered(
            isHeld: false, isEmpty: true, wasEverything: true, took: .zero, at: 0, random: 0.5)
        #expect(!seldom.wantsEverything(at: 945_000) && seldom.wantsEverything(at: 1_800_000), "who polls seldom")
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

    /// Every key that the reference knows, in each mode (protocol facts F.2).
    @Test(arguments: ["nftables", "iptables", "ipset", "dry-run"])
    func everyKeyOfTheReferenceIsKnown(_ mode: String) throws {
        let config = try config(
            """
            mode: \(mode)
            update_frequency: 15s
            api_url: https://lapi.example:8080
            cert_path: /etc/bouncer.crt
            key_path: /etc/bouncer.key
            ca_cert_path: /etc/ca.crt
            insecure_skip_verify: true
            retry_initial_connect: true
            scopes: [Ip, Range]
            origins: [crowdsec, cscli]
            scenarios_containing: [ssh]
            scenarios_not_containing: [http]
            supported_decisions_types: [ban, Captcha]
            log_mode: stdout
            log_dir: /var/log/
            log_level: debug
            log_max_size: 10
            log_max_files: 2
            log_max_age: 5
            compress_logs: false
            log_max_backups: 1
            log_compression: true
            disable_ipv4: false
            disable_ipv6: true
            deny_action: reject
            deny_log: true
            deny_log_prefix: "x "
            blacklists_ipv4: bl
            blacklists_ipv6: bl6
            ipset_type: nethash
            ipset_size: 200000
            ipset_disable_timeouts: false
            iptables_chains: [INPUT, DOCKER-USER]
            iptables_v4_chains: [FORWARD, INPUT]
            iptables_v6_chains: []
            iptables_add_rule_comments: false
            nftables:
              ipv4: {enabled: true, set-only: true, table: filter, chain: input, priority: 5}
              ipv6: {enabled: false, set-only: false, table: t6, chain: c6, priority: -5}
            nftables_hooks: [prerouting, input, forward, output, postrouting]
            pf: {anchor_name: "", batch_size: 100}
            prometheus: {enabled: true, listen_addr: 127.0.0.1, listen_port: 60602}
            pid_dir: /run/
            daemonize: false
            """)
        #expect(config.warnings.isEmpty)
        #expect(config.scopes == ["Ip", "Range"] && config.decisionTypes == ["ban", "captcha"] && !config.v6.enabled)
        #expect(config.denyAction == .reject && config.denyLogPrefix == "x " && config.v4.setPrefix == "bl")
        #expect(
            config.iptables.chains(.v4) == ["FORWARD", "INPUT", "DOCKER-USER"] && config.iptables.setSize == 200_000)
        #expect(config.hooks.count == 5 && config.v4.setOnly && config.v4.table == "filter" && config.v4.priority == 5)
        #expect(!config.iptables.addComments && config.prometheus.listenPort == 60602 && config.insecureSkipVerify)
    }

    @Test func unknownKeysAreToldOnceAndIgnored() throws {
        let config = try config("mode: nftables\napi_url: x\napi_key: k\nfoo: 1\nnftables: {ipv4: {bar: 2}}")
        #expect(config.warnings.contains("b.yaml:4:1: unknown key 'foo' is ignored"))
        #expect(config.warnings.contains("b.yaml:5:19: unknown key 'bar' is ignored"))
    }
}

@Suite("Usage metrics") struct UsageReportTests {
    private func traffic(_ origin: String?, _ packets: UInt64, _ bytes: UInt64) -> FirewallMetrics.Traffic {
        .init(origin: origin, family: .v4, packets: packets, bytes: bytes)
    }

    /// `name unit origin` and value of each item.
    private func items(_ body: [UInt8]) throws -> [String: Int] {
        let component = try JSON.parse(body)["remediation_components"]?.array?.first
        let metrics = component?["metrics"]?.array?.first
        #expect(metrics?["meta"]?["window_size_seconds"]?.int == 900)
        var out: [String: Int] = [:]
        for item in metrics?["items"]?.array ?? [] {
            let words = [item["name"], item["unit"], item["labels"]?["origin"], item["labels"]?["ip_type"]]
            out[words.compactMap { $0?.string }.joined(separator: " ")] = item["value"]?.int.map { Int($0) }
        }
        return out
    }

    @Test func figuresArePerOriginAndDroppedOnesSinceTheLastReport() throws {
        var report = UsageReport(started: Timestamp(nanoseconds: 0))
        let decided = [("CAPI", Family.v4, 15000), ("lists:firehol", .v4, 7)].map {
            (origin: $0, family: $1, count: $2)
        }
        var status = BouncerStatus()
        (status.decided, status.enforced, status.drift, status.refused, status.repaired) = (15007, 15005, 2, 1, 4)
        func body(_ traffic: [FirewallMetrics.Traffic]) throws -> [String: Int] {
            try items(
                report.body(decided: decided, traffic: traffic, status: status, now: Timestamp(nanoseconds: 0)))
        }
        let first = try body([traffic("CAPI", 10, 600), traffic("lists:firehol", 1, 60), traffic(nil, 50, 3000)])
        #expect(
            first == [
                "active_decisions ip CAPI ipv4": 15000, "active_decisions ip lists:firehol ipv4": 7,
                "dropped packet CAPI ipv4": 10, "dropped byte CAPI ipv4": 600, "dropped packet lists:firehol ipv4": 1,
                "dropped byte lists:firehol ipv4": 60, "processed packet ipv4": 50, "processed byte ipv4": 3000,
                "decided_gauge element": 15007, "enforced_gauge element": 15005, "drift_gauge element": 2,
                "refused_gauge element": 1, "repaired element": 4,
            ])
        status.repaired = 9
        let second = try body([traffic("CAPI", 12, 720), traffic("lists:firehol", 1, 60), traffic(nil, 5, 300)])
        #expect(second["dropped packet CAPI ipv4"] == 2 && second["dropped packet lists:firehol ipv4"] == 0)
        #expect(second["processed packet ipv4"] == 5, "counters began anew")
        #expect(second["repaired element"] == 5 && second["enforced_gauge element"] == 15005)
    }
}

@Suite("Plans in nft's words") struct NftTextTests {
    private func config(_ extra: String) throws -> FirewallConfig {
        let text = "mode: dry-run\napi_url: x\napi_key: k\nnftables_hooks: [input]\ndisable_ipv6: true\n" + extra
        return try FirewallConfig(from: try #require(try YAML.document(Array(text.utf8), file: "b.yaml")))
    }

    @Test func aTableIsWhatTheReferenceBuildsAndMore() throws {
        var layout = TableLayout(try config("deny_log: true\ndeny_action: reject\nreject_with: tcp-reset"), .v4)
        _ = layout.insert(origin: "CAPI")
        let set = "crowdsec-blacklists-CAPI"
        let rules = [
            #"counter name "processed""#, "ip saddr @allowlisted accept",
            #"meta l4proto tcp ip saddr @\#(set) counter name "\#(set)" log prefix "crowdsec drop: " reject with tcp reset"#,
            #"ip saddr @\#(set) counter name "\#(set)" log prefix "crowdsec drop: " reject with icmp port-unreachable"#,
        ]
        let commands = NftText.commands(layout)
        #expect(
            commands.contains(
                "add chain ip crowdsec crowdsec-chain-input { type filter hook input priority -10; policy accept; }"))
        #expect(
            commands.filter { $0.hasPrefix("add rule") }.prefix(4)
                == rules.map { "add rule ip crowdsec crowdsec-chain-input \($0)" }[...])
        #expect(commands.contains("add set ip crowdsec \(set)-ranges { type ipv4_addr; flags interval, timeout; }"))
    }

    @Test func elementsAreListed() throws {
        let layout = TableLayout(try config(""), .v4)
        var change = KernelChange()
        let plan = ElementPlan(
            remove: [AddressSpan(first: 0xCB00_7109, last: 0xCB00_7109)],
            add: [Segment(0xC633_6400, 0xC633_64FF, until: 61_000)])
        change.plans = [(layout.ranges("x"), plan)]
        #expect(
            NftText.commands(change, now: 1000) == [
                "delete element ip crowdsec crowdsec-blacklists-x-ranges { 203.0.113.9 }",
                "add element ip crowdsec crowdsec-blacklists-x-ranges { 198.51.100.0-198.51.100.255 timeout 60s }",
            ])
    }
}

@Suite("Sets as prefixes") struct PrefixTests {
    @Test(arguments: [
        ("10.0.0.0", "10.0.0.255", ["10.0.0.0-10.0.0.255"]),
        ("10.0.0.1", "10.0.0.6", ["10.0.0.1", "10.0.0.2-10.0.0.3", "10.0.0.4-10.0.0.5", "10.0.0.6"]),
        ("0.0.0.0", "255.255.255.255", ["0.0.0.0-127.255.255.255", "128.0.0.0-255.255.255.255"]),
        ("255.255.255.255", "255.255.255.255", ["255.255.255.255"]),
    ])
    func spansBecomePrefixes(_ first: String, _ last: String, _ prefixes: [String]) throws {
        let low = AddressSpan.of(try #require(IPRange(first))).1.first
        let high = AddressSpan.of(try #require(IPRange(last))).1.last
        #expect(AddressSpan(first: low, last: high).prefixes(.v4).map { $0.text(.v4) } == prefixes)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func holesAreCutOut(_ seed: UInt64) {
        var random = SeededRandom(seed)
        func cover(_ count: Int) -> [Segment] {
            var spans: [AddressSpan: Deadline] = [:]
            for _ in 0..<count {
                let first = UInt128.random(in: 0...50, using: &random)
                let last = first + UInt128.random(in: 0...9, using: &random)
                spans[AddressSpan(first: first, last: last)] = Deadline.random(in: 1...3, using: &random)
            }
            return RangeCover.segments(spans, now: 0)
        }
        let (bans, holes) = (cover(6), cover(4))
        let left = RangeCover.subtracting(holes, from: bans)
        for address in 0...64 as ClosedRange<UInt128> {
            let wanted = RangeCover.contains(bans, address) && !RangeCover.contains(holes, address)
            #expect(RangeCover.contains(left, address) == wanted, "seed \(seed), address \(address)")
        }
        #expect(zip(left, left.dropFirst()).allSatisfy { $0.span.last < $1.span.first }, "seed \(seed)")
    }
}
