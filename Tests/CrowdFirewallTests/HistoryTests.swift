import CrowdCore
import CrowdLAPI
import CrowdTestSupport
import Glibc
import Logging
import Testing

@testable import CrowdFirewall

private func quiet() -> Logger {
    var log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    log.logLevel = .critical
    return log
}

private let yaml = """
    mode: nftables
    api_url: x
    api_key: k
    state_dir: ""
    """

private func config(_ extra: String = "") throws -> FirewallConfig {
    try FirewallConfig(from: try #require(try YAML.document(Array((yaml + extra).utf8), file: "b.yaml")))
}

/// What should be dropped, told in the simplest way.
private struct Model {
    var bans: [String: [String: Deadline]] = [:]
    var allowed: [String] = []

    /// `nil` when it is about to change, or just has.
    func isDropped(_ source: String, at now: Deadline, margin: Deadline) -> Bool? {
        guard let address = IPAddress(source) else { return nil }
        if allowed.contains(where: { IPRange($0)?.contains(address) ?? false }) { return false }
        let ends = bans.values.joined().filter { IPRange($0.key)?.contains(address) ?? false }.map(\.value)
        guard !ends.contains(where: { abs($0 - now) < margin }) else { return nil }
        return ends.contains { $0 > now }
    }
}

/// One random history of decisions.
private struct History {
    static let sources =
        ["198.51.100.1", "198.51.100.2", "198.51.100.9", "198.51.100.17", "198.51.100.200", "203.0.113.5"]
        + ["2001:db8:1::1", "2001:db8:1::9", "2001:db8:1:1::1", "2001:db8:2::1"]
    static let values =
        sources + ["198.51.100.0/24", "198.51.100.0/28", "198.51.100.8/29", "198.51.100.0/25", "198.51.100.128/25"]
        + ["::ffff:203.0.113.5", "203.0.113.0/30", "2001:db8:1::/64", "2001:db8:1::/48", "2001:db8::/32"]

    var random: SeededRandom
    var model = Model()
    var origins = OriginTable()

    /// What the Local API would tell, and the model of it.
    mutating func delta() -> DecisionCollector.Batch {
        let collector = collector()
        let origin = ["crowdsec", "cscli", "CAPI"][Int.random(in: 0...2, using: &random)]
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            guard let value = (model.bans[origin] ?? [:]).keys.sorted().randomElement(using: &random) else { break }
            model.bans[origin]?[value] = nil
            collector.take(isDeleted: true, Self.decision(value, "-1s", origin))
        }
        var seen: Set<String> = []
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            guard let value = Self.values.randomElement(using: &random), seen.insert(Self.key(value)).inserted else {
                continue
            }
            collector.take(isDeleted: false, renew(value, origin))
        }
        return finish(collector)
    }

    /// The complete list, of which something may have gone and come unseen.
    mutating func everything() -> DecisionCollector.Batch {
        let collector = collector(isComplete: true)
        for (origin, bans) in model.bans.sorted(by: { $0.key < $1.key }) {
            for (value, deadline) in bans.sorted(by: { $0.key < $1.key }) {
                let left = deadline - MonotonicClock.now()
                if left < 1000 || Int.random(in: 0..<4, using: &random) == 0 {
                    model.bans[origin]?[value] = nil
                } else {
                    collector.take(isDeleted: false, Self.decision(value, "\(left)ms", origin))
                }
            }
        }
        return finish(collector)
    }

    private mutating func renew(_ value: String, _ origin: String) -> StreamDecision {
        let milliseconds = [1500, 2500, 3_600_000, 7_200_000][Int.random(in: 0...3, using: &random)]
        model.bans[origin, default: [:]][Self.key(value)] = MonotonicClock.now() + Deadline(milliseconds)
        return Self.decision(value, "\(milliseconds)ms", origin)
    }

    /// One name for one value.
    private static func key(_ value: String) -> String {
        value.hasPrefix("::ffff:") ? String(value.dropFirst(7)) : value
    }

    private func collector(isComplete: Bool = false) -> DecisionCollector {
        DecisionCollector(types: ["ban"], families: [.v4, .v6], origins: origins, isComplete: isComplete)
    }

    private mutating func finish(_ collector: DecisionCollector) -> DecisionCollector.Batch {
        let (batch, origins) = collector.finish()
        self.origins = origins
        return batch
    }

    private static func decision(_ value: String, _ duration: String, _ origin: String) -> StreamDecision {
        var decision = StreamDecision()
        (decision.value, decision.duration, decision.origin, decision.type) = (value, duration, origin, "ban")
        return decision
    }
}

/// Random histories of decisions: packets, the kernel's sets and a model agree at every step, whatever netlink does.
@Suite("Histories", .serialized, .enabled(if: NetworkPair.isPossible, "needs network namespaces"))
struct HistoryTests {
    /// An enforcer on the edge, its netlink socket with faults before it.
    private func enforcer(
        _ network: NetworkPair, _ config: FirewallConfig, seed: UInt64, faults: Int, poison: [UInt8] = []
    ) async throws -> Enforcer {
        struct Box: @unchecked Sendable { let channel: KernelChannel }  // handed over once, used by one actor
        let kernel = try Inside.namespace(network.edge) { Box(channel: try KernelChannel()) }
        let channel = FaultyChannel(kernel.channel, seed: seed, faults: faults, poison: poison)
        let enforcer = Enforcer(config, filter: NftablesFilter(NetlinkSocket(channel)), log: quiet())
        for _ in 0..<100 {
            let failure = await Self.start(enforcer)
            guard let failure else { return enforcer }
            guard failure.code == ENOBUFS || failure.code == EINTR else { throw failure }
        }
        throw SupportError("never starts")
    }

    private static func start(_ enforcer: Enforcer) async -> NetlinkError? {
        do throws(NetlinkError) {
            try await enforcer.start()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [(1, 0), (2, 0), (3, 0), (4, 200), (5, 200), (6, 200)] as [(UInt64, Int)])
    func packetsSetsAndModelAgree(_ seed: UInt64, _ faults: Int) async throws {
        let network = try NetworkPair("h\(seed)")
        let prober = try Prober(network, sources: History.sources)
        let enforcer = try await enforcer(network, try config("\nlapi_allowlists: true"), seed: seed, faults: faults)
        var history = History(random: SeededRandom(seed))
        for step in 0..<40 {
            switch step == 0 ? 1 : Int.random(in: 0..<10, using: &history.random) {
            case 0:
                history.model.allowed =
                    [["198.51.100.9"], ["2001:db8:1::/80", "198.51.100.0/28"], []]
                    .randomElement(using: &history.random) ?? []
                await enforcer.allow(
                    history.model.allowed.compactMap { IPRange($0).map { Allowances.Entry($0) } }, from: .localAPI)
            case 1: _ = await enforcer.replace(with: history.everything(), history.origins)
            default: await enforcer.apply(history.delta(), history.origins)
            }
            // With faults, what could not be done at once is done by the next comparison.
            if faults > 0 { for _ in 0..<4 { _ = await enforcer.verify() } }
            sleepMilliseconds(60)
            let before = MonotonicClock.now()
            let inside = try prober.gettingIn()
            let after = MonotonicClock.now()
            for source in History.sources {
                // A comparison takes ends that differ by less than three seconds for the same.
                let margin: Deadline = faults > 0 ? 3200 : 300
                guard let wanted = history.model.isDropped(source, at: before, margin: margin),
                    wanted == history.model.isDropped(source, at: after, margin: margin)
                else { continue }
                #expect(inside.contains(source) == !wanted, "seed \(seed), step \(step): \(source)")
            }
        }
        let found = await enforcer.inspect()
        #expect(found.drift == 0 && found.refused == 0, "seed \(seed): \(found)")
    }

    @Test func aRefusedElementIsLeftOutAndNothingElse() async throws {
        let network = try NetworkPair("hp")
        let enforcer = try await enforcer(network, try config(), seed: 1, faults: 0, poison: [192, 0, 2, 77])
        let collector = DecisionCollector(
            types: ["ban"], families: [.v4, .v6], origins: OriginTable(), isComplete: true)
        var decision = StreamDecision()
        (decision.origin, decision.type, decision.duration) = ("crowdsec", "ban", "1h")
        for host in 0..<200 {
            decision.value = "192.0.2.\(host)"
            collector.take(isDeleted: false, decision)
        }
        let (batch, origins) = collector.finish()
        let result = await enforcer.replace(with: batch, origins)
        #expect(result.refused == 1 && result.enforced == 199 && result.decided == 200)
        #expect(result.cause?.contains("invalid argument") == true)
        let set = try network.onEdge("nft list set ip crowdsec crowdsec-blacklists-crowdsec")
        #expect(set.contains("192.0.2.76") && set.contains("192.0.2.78") && !set.contains("192.0.2.77"))
    }

    @Test func aSetThatIsFullIsFilledAndSaysSo() async throws {
        let network = try NetworkPair("hf")
        let directory = try TemporaryDirectory()
        let table = """
            table ip edge {
                set crowdsec-blacklists {
                    type ipv4_addr
                    flags timeout
                    size 64
                }
            }
            """
        try network.onEdge("nft -f \(directory.write("set.nft", table))")
        let settings = try config("\nnftables: {ipv4: {set-only: true, table: edge}, ipv6: {enabled: false}}")
        let enforcer = try await enforcer(network, settings, seed: 1, faults: 0)
        let collector = DecisionCollector(types: ["ban"], families: [.v4], origins: OriginTable(), isComplete: true)
        var decision = StreamDecision()
        (decision.origin, decision.type, decision.duration) = ("crowdsec", "ban", "1h")
        for host in 0..<1000 {
            decision.value = "10.0.\(host / 250).\(host % 250)"
            collector.take(isDeleted: false, decision)
        }
        let (batch, origins) = collector.finish()
        let result = await enforcer.replace(with: batch, origins)
        #expect(result.enforced == 64 && result.refused == 936, "\(result)")
        #expect(result.cause?.contains("crowdsec-blacklists") == true, "\(result)")
    }

    /// Larger sets are asked element by element, and what nobody decided shows in the kernel's count.
    @Test func largeSetsAreProvedAndRepairedToo() async throws {
        let network = try NetworkPair("hl")
        let enforcer = try await enforcer(network, try config(), seed: 1, faults: 0)
        let collector = DecisionCollector(
            types: ["ban"], families: [.v4, .v6], origins: OriginTable(), isComplete: true)
        var decision = StreamDecision()
        (decision.origin, decision.type, decision.duration) = ("crowdsec", "ban", "1h")
        let count = Enforcer.largeSet + 5000
        for number in 0..<count {
            decision.value = "10.0.\(number / 256).\(number % 256)"
            collector.take(isDeleted: false, decision)
        }
        let (batch, origins) = collector.finish()
        let first = await enforcer.replace(with: batch, origins)
        #expect(first.decided == count && first.enforced == count && first.refused == 0, "\(first)")
        let quiet = await enforcer.verify()
        #expect(quiet.enforced == count && quiet.drift == 0, "\(quiet)")

        let set = "ip crowdsec crowdsec-blacklists-crowdsec"
        try network.onEdge("nft delete element \(set) { 10.0.0.77, 10.0.90.1 }")
        let looked = await enforcer.inspect()
        #expect(looked.drift == 2 && looked.enforced == count - 2, "\(looked)")
        let repaired = await enforcer.verify()
        #expect(repaired.drift == 2 && repaired.repaired == 2 && repaired.enforced == count, "\(repaired)")
        try network.onEdge("nft get element \(set) { 10.0.90.1 }")

        try network.onEdge("nft add element \(set) { 192.0.2.1 timeout 1h }")
        _ = await enforcer.verify()
        let cleaned = await enforcer.verify()
        #expect(cleaned.repaired == 1, "\(cleaned)")
        #expect(throws: SupportError.self) { try network.onEdge("nft get element \(set) { 192.0.2.1 }") }
        try network.onEdge("nft flush set \(set)")
        let refilled = await enforcer.verify()
        #expect(refilled.repaired == count && refilled.enforced == count, "\(refilled)")

        // A complete list that has less: what is not on it goes at once.
        decision.value = "10.0.0.1"
        let shorter = DecisionCollector(types: ["ban"], families: [.v4], origins: origins, isComplete: true)
        for number in 0..<(count - 10) {
            decision.value = "10.0.\(number / 256).\(number % 256)"
            shorter.take(isDeleted: false, decision)
        }
        _ = await enforcer.replace(with: shorter.finish().batch, origins)
        let last = count - 1
        #expect(throws: SupportError.self) {
            try network.onEdge("nft get element \(set) { 10.0.\(last / 256).\(last % 256) }")
        }
        let end = await enforcer.inspect()
        #expect(end.enforced == count - 10 && end.drift == 0, "\(end)")
    }

    private func ranges(_ numbers: Range<Int>, _ origins: OriginTable, isComplete: Bool = true) -> DecisionCollector {
        let collector = DecisionCollector(
            types: ["ban"], families: [.v4, .v6], origins: origins, isComplete: isComplete)
        var decision = StreamDecision()
        (decision.origin, decision.type, decision.duration) = ("crowdsec", "ban", "1h")
        for number in numbers {
            decision.value = "10.\(number >> 8).\(number & 255).0/25"
            collector.take(isDeleted: false, decision)
            decision.value = "2001:db8:\(String(number, radix: 16))::/64"
            collector.take(isDeleted: false, decision)
        }
        return collector
    }

    /// The same for ranges: of an interval both ends must be there.
    @Test func largeRangeSetsAreProvedAndRepairedToo() async throws {
        let network = try NetworkPair("hr")
        let enforcer = try await enforcer(network, try config(), seed: 1, faults: 0)
        let count = Enforcer.largeCover + 2000
        let (batch, origins) = ranges(0..<count, OriginTable()).finish()
        let first = await enforcer.replace(with: batch, origins)
        #expect(first.decided == 2 * count && first.enforced == 2 * count && first.refused == 0, "\(first)")
        for _ in 0..<2 {
            let quiet = await enforcer.verify()
            #expect(quiet.decided == 2 * count && quiet.enforced == 2 * count, "\(quiet)")
            #expect(quiet.drift == 0 && quiet.repaired == 0, "\(quiet)")
        }
        let set = "ip crowdsec crowdsec-blacklists-crowdsec-ranges"
        let set6 = "ip6 crowdsec6 crowdsec6-blacklists-crowdsec-ranges"
        try network.onEdge("nft delete element \(set) { 10.0.7.0-10.0.7.127, 10.3.0.0-10.3.0.127 }")
        try network.onEdge("nft delete element \(set6) { 2001:db8:9::/64 }")
        let looked = await enforcer.inspect()
        #expect(looked.drift == 3 && looked.enforced == 2 * count - 3, "\(looked)")
        let repaired = await enforcer.verify()
        #expect(repaired.drift == 3 && repaired.repaired == 3 && repaired.enforced == 2 * count, "\(repaired)")
        try network.onEdge("nft get element \(set) { 10.3.0.0-10.3.0.127 }")

        // One that nobody decided, and one in another's way.
        try network.onEdge("nft add element \(set) { 192.0.2.0-192.0.2.9 timeout 1h }")
        _ = await enforcer.verify()
        let cleaned = await enforcer.verify()
        #expect(cleaned.repaired == 1, "\(cleaned)")
        #expect(throws: SupportError.self) { try network.onEdge("nft get element \(set) { 192.0.2.5 }") }
        try network.onEdge("nft delete element \(set) { 10.0.7.0-10.0.7.127 }")
        try network.onEdge("nft add element \(set) { 10.0.7.0-10.0.7.200 timeout 1h }")
        let straight = await enforcer.verify()
        #expect(straight.repaired > 0 && straight.enforced == 2 * count, "\(straight)")
        #expect(throws: SupportError.self) { try network.onEdge("nft get element \(set) { 10.0.7.150 }") }
        try network.onEdge("nft flush set \(set)")
        let refilled = await enforcer.verify()
        #expect(refilled.repaired == count && refilled.enforced == 2 * count, "\(refilled)")

        // A change, and a list that has less.
        await enforcer.apply(ranges(count..<(count + 3), origins, isComplete: false).finish().batch, origins)
        let changed = await enforcer.inspect()
        #expect(changed.enforced == 2 * count + 6 && changed.drift == 0, "\(changed)")
        _ = await enforcer.replace(with: ranges(0..<(count - 10), origins).finish().batch, origins)
        #expect(throws: SupportError.self) {
            try network.onEdge("nft get element \(set) { 10.\(count >> 8).\(count & 255).7 }")
        }
        let end = await enforcer.inspect()
        #expect(end.enforced == 2 * (count - 10) && end.drift == 0, "\(end)")
    }
}
