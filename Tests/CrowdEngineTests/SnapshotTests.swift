import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdEngine

/// A restart in the middle of an attack changes nothing.
@Suite("Bucket snapshots") struct SnapshotTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var scenario: String
        /// Second and user of each event.
        var events: [(Int, String)]
    }

    static func scenario(_ fields: String, type: String = "leaky") -> String {
        "type: \(type)\nname: test/s\ndescription: d\nfilter: evt.Meta.log_type == 'test'\n"
            + "groupby: evt.Meta.source_ip\n" + fields
    }

    static let cases = [
        Case(
            testDescription: "a slow brute force", scenario: scenario("capacity: 4\nleakspeed: 60s\n"),
            events: (0..<12).map { ($0 * 13, "u\($0)") }),
        Case(
            testDescription: "distinct values",
            scenario: scenario("capacity: 2\nleakspeed: 1h\ndistinct: evt.Meta.user\n"),
            events: [(0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "c"), (5, "a"), (6, "d")]),
        Case(
            testDescription: "a blackhole", scenario: scenario("capacity: 1\nleakspeed: 1h\nblackhole: 1m\n"),
            events: (0..<10).map { ($0 * 10, "u") }),
        Case(
            testDescription: "an overflow filter over queued events",
            scenario: scenario(
                "capacity: 2\nleakspeed: 1h\noverflow_filter: any(queue.Queue, {.Parsed.user == 'x'})\n"),
            events: [(0, "x"), (1, "b"), (2, "c"), (3, "a"), (4, "b"), (5, "c")]),
        Case(
            testDescription: "a condition",
            scenario: scenario("capacity: -1\nleakspeed: 1h\ncondition: len(queue.Queue) >= 3\n", type: "conditional"),
            events: (0..<7).map { ($0, "u") }),
    ]

    /// Counts, times, events, uuids: all but what no two runs share.
    private func summary(_ harness: EngineHarness) -> [String] {
        harness.alerts.map {
            "\($0.eventsCount) \($0.startAt) \($0.stopAt) \($0.events.map { $0.meta ?? [] })"
        }
    }

    @Test(arguments: cases) func restartAtEveryPlace(_ one: Case) throws {
        let lines = one.events.map { EngineHarness.line("192.0.2.1", $0.0, user: $0.1) }
        let undisturbed = try EngineHarness(scenarios: [one.scenario])
        undisturbed.run(lines)
        #expect(!undisturbed.alerts.isEmpty)
        for place in 1..<lines.count {
            let harness = try EngineHarness(scenarios: [one.scenario])
            harness.run(Array(lines[..<place]))
            #expect(try harness.goOn().dropped == 0)
            harness.run(Array(lines[place...]))
            #expect(summary(harness) == summary(undisturbed), "restart after \(place) lines")
        }
    }

    @Test func aChangedScenarioBeginsAnew() throws {
        let first = try EngineHarness(scenarios: [Self.scenario("capacity: 5\nleakspeed: 1h\n")])
        first.run([EngineHarness.line("192.0.2.1", 0), EngineHarness.line("192.0.2.2", 0)])
        let second = try EngineHarness(scenarios: [Self.scenario("capacity: 4\nleakspeed: 1h\n")])
        #expect(try first.goOn(second.content) == BucketRestoration(restored: 0, dropped: 2))
        #expect(first.worker?.liveBuckets == 0)
        let same = try EngineHarness(scenarios: [Self.scenario("leakspeed: 1h  # as before\ncapacity: 4\n")])
        first.run([EngineHarness.line("192.0.2.1", 1)])
        #expect(try first.goOn(same.content).dropped == 1, "another order of keys is another text")
    }

    @Test func everyCutAndFlipIsRefusedOrHarmless() throws {
        let harness = try EngineHarness(scenarios: [Self.cases[1].scenario])
        harness.run([EngineHarness.line("192.0.2.1", 0, user: "a"), EngineHarness.line("192.0.2.2", 1, user: "b")])
        var writer = ByteWriter()
        harness.worker?.writeSnapshot(to: &writer)
        for place in writer.bytes.indices {
            var flipped = writer.bytes
            flipped[place] ^= 0x55
            for bytes in [Array(writer.bytes[..<place]), flipped] {
                let worker = Worker(harness.content, observer: nil)
                bytes.withUnsafeBufferPointer { buffer in
                    var reader = ByteReader(buffer)
                    _ = try? worker.restoreSnapshot(&reader)
                }
            }
        }
    }

    /// The same line at the same time has the same uuid; another line has another.
    @Test func uuidsAreThoseOfTheLines() throws {
        let harness = try EngineHarness(scenarios: [Self.scenario("", type: "trigger")])
        let origin = LineOrigin(source: "a.log", module: "file", labels: [], isReplay: false)
        let line = Array(EngineHarness.line("192.0.2.1", 0).utf8)
        let identity = EngineIdentity()
        for _ in 0..<2 {
            let worker = Worker(harness.content, observer: harness, identity: identity)
            for _ in 0..<2 {
                line.withUnsafeBufferPointer { worker.process(ByteSlice($0), from: origin, at: Timestamp(seconds: 5)) }
            }
        }
        let uuids = harness.alerts.map(\.uuid)
        #expect(uuids.count == 4 && uuids[0] == uuids[2] && uuids[1] == uuids[3] && uuids[0] != uuids[1])
    }
}
