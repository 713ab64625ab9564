import CrowdCore
import CrowdLAPI
import CrowdTestSupport
import Testing

@testable import CrowdFirewall

/// What a Local API may say, on purpose or not.
@Suite("Hostile decisions") struct HostileDecisionTests {
    private func collect(_ decisions: [StreamDecision], deleted: Bool = false) -> DecisionCollector.Batch {
        let collector = DecisionCollector(types: ["ban"], families: [.v4, .v6], origins: OriginTable()) { 0 }
        for decision in decisions { collector.take(isDeleted: deleted, decision) }
        return collector.finish().batch
    }

    private func decision(
        _ value: String, _ duration: String = "1h", origin: String = "crowdsec", scope: String = "Ip"
    ) -> StreamDecision {
        var decision = StreamDecision()
        (decision.value, decision.duration, decision.type) = (value, duration, "ban")
        (decision.origin, decision.scope) = (origin, scope)
        return decision
    }

    /// `nil`: not used, and nothing else lost.
    @Test(
        arguments: [
            ("0.0.0.0/0", "0.0.0.0-255.255.255.255"), ("::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("::ffff:0:0/96", "0.0.0.0-255.255.255.255"), ("203.0.113.9/32", "203.0.113.9"),
            ("255.255.255.255", "255.255.255.255"), ("2001:DB8::1/127", "2001:db8::-2001:db8::1"),
            ("203.0.113.99/29", "203.0.113.96-203.0.113.103"), ("2001:db8::ff/120", "2001:db8::-2001:db8::ff"),
            ("203.0.113.0/33", nil), ("2001:db8::/129", nil), ("203.0.113.0/-1", nil), ("203.0.113.0/", nil),
            ("203.0.113.0/24/8", nil), ("203.0.113.0/999999999999999999999", nil), ("203.0.113.0-203.0.113.9", nil),
            ("fe80::1%eth0", nil), (" 203.0.113.9", nil), ("203.0.113.9\n", nil), ("203.0.113.9\0", nil),
            ("203.0.113", nil), ("127.1", nil), ("0x7f.0.0.1", nil), ("010.0.0.1", nil), ("3405803785", nil),
            ("256.0.0.1", nil), (":::", nil), ("1:2:3:4:5:6:7:8:9", nil), ("AS64500", nil), ("FR", nil), ("", nil),
            ("²03.0.113.9", nil), (String(repeating: "1", count: 60_000), nil),
        ] as [(String, String?)])
    func aValueIsAnAddressOrARangeOrSkipped(_ value: String, _ span: String?) {
        let batch = collect([decision(value), decision("192.0.2.1")])
        let texts = batch.new.map { $0.span.text($0.set.family) }
        #expect(texts == (span.map { [$0] } ?? []) + ["192.0.2.1"])
        #expect(batch.unreadable == (span == nil ? 1 : 0))
        #expect(batch.examples.allSatisfy { $0.utf8.count <= 80 })
    }

    /// Hours that the ban lasts; `nil`: none. What cannot be read counts as four, as in the reference.
    @Test(
        arguments: [
            ("1h", 1), ("+1h", 1), ("0s", nil), ("0", nil), ("-1h", nil), ("-0.1s", nil), ("400ms", nil), ("1ns", nil),
            ("1000000000000h", 4), ("-1000000000000h", 4), ("2562047h", 876_000), ("9223372036854775807ns", 876_000),
            ("", 4), ("h", 4), ("1", 4), ("1e9s", 4), ("NaN", 4), ("1d", 4), (String(repeating: "9", count: 50_000), 4),
        ] as [(String, Int64?)])
    func aDurationIsBounded(_ duration: String, _ hours: Int64?) {
        let batch = collect([decision("192.0.2.1", duration)])
        #expect(batch.new.map { $0.deadline / 3_600_000 } == (hours.map { [min($0, 100 * 365 * 24)] } ?? []))
        #expect(batch.alreadyOver == (hours == nil ? 1 : 0))
    }

    @Test(arguments: ["Ip", "ip", "IP", "Range", "RANGE", "", "country", "\u{0}"])
    func theScopeDecidesNothing(_ scope: String) {
        #expect(collect([decision("198.51.100.0/24", scope: scope)]).new.count == 1)
        #expect(collect([decision("FR", scope: scope)]).unreadable == 1)
    }

    @Test func originsWithoutEndShareOne() {
        let collector = DecisionCollector(types: ["ban"], families: [.v4], origins: OriginTable())
        for number in 0..<5000 {
            let origin = "o\(number)" + String(repeating: "x", count: number)
            collector.take(isDeleted: false, decision("192.0.2.\(number % 256)", origin: origin))
        }
        let (batch, origins) = collector.finish()
        #expect(batch.new.count == 5000)
        #expect(origins.all.count == OriginTable.limit + 1 && origins.all.last == OriginTable.rest)
        #expect(batch.new.allSatisfy { $0.set.origin < origins.all.count })
        #expect(origins.all.allSatisfy { $0.label.utf8.count <= 256 && $0.name.utf8.count <= SetName.longest })
    }

    /// One answer with the same value again and again, and deletions of what was never there.
    @Test func repetitionsAndDeletionsOfNothingChangeNothingElse() {
        var state = DesiredState()
        let bans = collect((0..<2000).map { decision("192.0.2.1", "\($0 + 1)h") }).new
        #expect(state.apply(deleted: [], new: bans, now: 0).values.first?.hosts.add.count == 1)
        let unknown = collect(
            (0..<200_000).map { decision("10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)") }
                + (0..<2000).map { decision("172.16.\($0 >> 4).\($0 & 15)/32", origin: "cscli") }
                + (0..<256).map { decision("198.51.\($0).0/24") }, deleted: true
        ).deleted
        #expect(state.apply(deleted: unknown, new: [], now: 0).isEmpty)
        #expect(state.count == 1)
    }

    struct Clock: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// How long ago the snapshot was taken, by the wall clock; negative when that was set back.
        var age: Int64
        /// Seconds that were left of the ban then, and are now.
        var left: UInt32
        var now: Int64?
    }

    @Test(arguments: [
        Clock(testDescription: "at once", age: 0, left: 100, now: 100),
        Clock(testDescription: "a minute later", age: 60, left: 100, now: 40),
        Clock(testDescription: "when it is over", age: 100, left: 100),
        Clock(testDescription: "years later", age: 1 << 40, left: .max),
        Clock(testDescription: "a clock set back by a day", age: -86_400, left: 100, now: 100),
        Clock(testDescription: "a clock set back by all there is", age: .min / 2, left: 100, now: 100),
    ])
    func aSnapshotCountsDownAndNeverUp(_ clock: Clock) throws {
        let key = [UInt8](repeating: 7, count: SnapshotFile.digestBytes)
        var writer = SnapshotWriter(key: key)
        let written = Timestamp.now().seconds.subtractingReportingOverflow(clock.age)
        writer.put(written.overflow ? Int64.max : written.partialValue)
        writer.put(UInt32(1))
        for text in ["crowdsec", "crowdsec"] { writer.put(text) }
        for number in [UInt32(1)] { writer.put(number) }
        writer.put(Family.v4.rawValue)
        for number in [UInt32(0), 1, 0xC000_0201, clock.left, 0, 0] { writer.put(number) }
        let directory = try TemporaryDirectory()
        try SnapshotFile.store(writer.finish(), directory.path)
        var reader = try #require(try SnapshotReader(directory.path, key: key))
        let before = MonotonicClock.now()
        let state = try Snapshot(from: &reader, longestName: SetName.longest).state
        let ends = state.sets.values.flatMap { $0.hosts.values }
        #expect(ends.count == (clock.now == nil ? 0 : 1))
        for (end, left) in zip(ends, [clock.now].compactMap(\.self)) {
            #expect((end - before + 500) / 1000 == left || (end - before + 1500) / 1000 == left)
        }
    }

    /// Signed by us, and nonsense all the same: a bug of ours must not be worse than no snapshot.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func aSnapshotOfNonsenseIsRefusedOrHarmless(_ seed: UInt64) throws {
        var random = SeededRandom(seed)
        let key = [UInt8](repeating: 7, count: SnapshotFile.digestBytes)
        var writer = SnapshotWriter(key: key)
        for _ in 0..<Int.random(in: 0..<60, using: &random) {
            writer.put(UInt8.random(in: 0...(Bool.random(using: &random) ? 2 : 255), using: &random))
        }
        let directory = try TemporaryDirectory()
        try SnapshotFile.store(writer.finish(), directory.path)
        var reader = try #require(try SnapshotReader(directory.path, key: key))
        let snapshot = try? Snapshot(from: &reader, longestName: SetName.longest)
        #expect((snapshot?.state.count ?? 0) <= 20, "seed \(seed)")
    }
}
