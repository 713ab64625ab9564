import CrowdCore
import Testing

@testable import CrowdEngine

@Suite("Leaky bucket") struct LeakyBucketTests {
    struct Pours: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var capacity: Int
        var leakSeconds: Double
        /// Seconds of the pours.
        var at: [Double]
        /// Position of the pour that overflows; nil when all fit.
        var overflowsAt: Int?
    }

    @Test(arguments: [
        Pours(
            testDescription: "a burst overflows after capacity", capacity: 5, leakSeconds: 10, at: [0, 0, 0, 0, 0, 0],
            overflowsAt: 5),
        Pours(
            testDescription: "the leak rate never overflows", capacity: 1, leakSeconds: 10,
            at: [0, 10, 20, 30, 40, 50], overflowsAt: nil),
        Pours(
            testDescription: "just faster than the leak does", capacity: 1, leakSeconds: 10, at: [0, 9.9],
            overflowsAt: 1),
        Pours(
            testDescription: "exact thirds do not overflow by rounding", capacity: 3, leakSeconds: 3,
            at: [0, 0, 0, 3, 6, 9, 12], overflowsAt: nil),
        Pours(
            testDescription: "time going back refills nothing", capacity: 2, leakSeconds: 10, at: [100, 90, 95],
            overflowsAt: 2),
        Pours(
            testDescription: "but moves the clock back", capacity: 2, leakSeconds: 10, at: [100, 80, 100],
            overflowsAt: nil),
        Pours(testDescription: "no limit", capacity: -1, leakSeconds: 0, at: [0, 0, 0], overflowsAt: nil),
    ])
    func overflows(_ pours: Pours) throws {
        var bucket = LeakyBucket(capacity: pours.capacity)
        let refused = pours.at.firstIndex { second in
            !bucket.pour(at: Int64(second * 1e9), capacity: pours.capacity, leakSeconds: pours.leakSeconds)
        }
        #expect(refused == pours.overflowsAt)
    }
}

@Suite("Partitions") struct PartitionTests {
    /// Short keys lie in the bucket, long ones apart.
    @Test func keysOfAnyLengthFindTheirBucket() throws {
        let scenario = """
            name: test/s
            description: d
            type: leaky
            filter: "evt.Meta.log_type == 'test'"
            groupby: evt.Meta.user
            capacity: 3
            leakspeed: 10s
            """
        let harness = try EngineHarness(scenarios: [scenario])
        let users = [1, 2, 14, 15, 16, 17, 18, 40, 300].map { String(repeating: "u", count: $0) }
        for second in 0..<4 {
            harness.run(users.map { EngineHarness.line("192.0.2.1", second, user: $0) })
        }
        #expect(harness.alerts.map(\.eventsCount) == Array(repeating: 4, count: users.count))
        #expect(harness.worker?.liveBuckets == 0)
    }
}

@Suite("Scenarios") struct ScenarioTests {
    private static func scenario(_ body: String, name: String = "test/s") -> String {
        "name: \(name)\ndescription: d\nfilter: \"evt.Meta.log_type == 'test'\"\ngroupby: evt.Meta.source_ip\n" + body
    }

    private static func burst(_ count: Int, _ ip: String = "192.0.2.1", from start: Int = 0) -> [String] {
        (0..<count).map { EngineHarness.line(ip, start + $0, user: "u\($0)") }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var scenario: String
        var lines: [String]
        /// `value eventsCount queued` of each alert.
        var alerts: [String]
    }

    @Test(arguments: [
        Case(
            testDescription: "leaky overflows at capacity + 1", scenario: "type: leaky\ncapacity: 5\nleakspeed: 10s\n",
            lines: burst(6), alerts: ["192.0.2.1 6 6"]),
        Case(
            testDescription: "sources are kept apart", scenario: "type: leaky\ncapacity: 2\nleakspeed: 10s\n",
            lines: burst(2) + burst(2, "192.0.2.2"), alerts: []),
        Case(
            testDescription: "the bucket empties between", scenario: "type: leaky\ncapacity: 2\nleakspeed: 10s\n",
            lines: burst(2) + burst(2, from: 600), alerts: []),
        Case(
            testDescription: "distinct counts users, not tries",
            scenario: "type: leaky\ncapacity: 2\nleakspeed: 10s\ndistinct: evt.Meta.user\n",
            lines: (0..<9).map { _ in EngineHarness.line("192.0.2.1", 0, user: "same") } + burst(3),
            alerts: ["192.0.2.1 3 3"]),
        Case(
            testDescription: "blackhole silences what follows",
            scenario: "type: leaky\ncapacity: 1\nleakspeed: 10s\nblackhole: 1m\n",
            lines: burst(8) + burst(2, from: 120), alerts: ["192.0.2.1 2 2", "192.0.2.1 2 2"]),
        Case(
            testDescription: "trigger fires for every event", scenario: "type: trigger\n", lines: burst(3),
            alerts: ["192.0.2.1 1 1", "192.0.2.1 1 1", "192.0.2.1 1 1"]),
        Case(
            testDescription: "cache_size bounds the queue, not the count",
            scenario: "type: leaky\ncapacity: 5\nleakspeed: 10s\ncache_size: 2\n", lines: burst(6),
            alerts: ["192.0.2.1 6 3"]),
        Case(
            testDescription: "cancel_on empties the bucket",
            scenario: "type: leaky\ncapacity: 2\nleakspeed: 10s\ncancel_on: evt.Meta.user == 'u2'\n",
            lines: burst(4), alerts: []),
        Case(
            testDescription: "conditional overflows when its condition holds",
            scenario: "type: conditional\ncapacity: -1\nleakspeed: 10s\ncondition: len(queue.Queue) >= 3\n",
            lines: burst(3), alerts: ["192.0.2.1 3 3"]),
        Case(
            testDescription: "overflow_filter keeps an overflow back",
            scenario:
                "type: leaky\ncapacity: 1\nleakspeed: 10s\noverflow_filter: any(queue.Queue, {.Meta.user == 'nobody'})\n",
            lines: burst(4), alerts: []),
        Case(
            testDescription: "bayesian adds up evidence",
            scenario: """
                type: bayesian
                capacity: -1
                leakspeed: 30s
                bayesian_prior: 0.5
                bayesian_threshold: 0.8
                bayesian_conditions:
                  - {condition: len(queue.Queue) >= 2, prob_given_evil: 0.9, prob_given_benign: 0.1}

                """,
            lines: burst(3), alerts: ["192.0.2.1 2 2"]),
        Case(
            testDescription: "an address that is none gives no alert", scenario: "type: trigger\n",
            lines: burst(2, "not-an-address"), alerts: []),
        Case(
            testDescription: "any scope from an expression",
            scenario: "type: trigger\nscope: {type: username, expression: evt.Meta.user}\n", lines: burst(1),
            alerts: ["u0 1 1"]),
        Case(
            testDescription: "scope Range from an expression",
            scenario: "type: trigger\nscope: {type: Range, expression: \"IpToRange(evt.Meta.source_ip, '/24')\"}\n",
            lines: burst(1), alerts: ["192.0.2.0/24 1 1"]),
        Case(
            testDescription: "a condition over a queue that is cut at its front",
            scenario: "type: conditional\ncapacity: -1\ncache_size: 2\nleakspeed: 10s\n"
                + "condition: len(filter(queue.Queue, {.Meta.user in ['u1', 'u2', 'u3']})) >= 3\n",
            lines: burst(5), alerts: ["192.0.2.1 4 3"]),
        Case(
            testDescription: "a condition looks at what is kept for it alone",
            scenario: "type: conditional\ncapacity: -1\nleakspeed: 10s\n"
                + "condition: any(queue.Queue, {.Parsed.ip == '192.0.2.1' && .Meta.user == 'u1'})\n",
            lines: burst(3), alerts: ["192.0.2.1 2 2"]),
    ])
    func raises(_ one: Case) throws {
        let harness = try EngineHarness(scenarios: [ScenarioTests.scenario(one.scenario)])
        #expect(harness.content.refused.isEmpty)
        harness.run(one.lines)
        #expect(harness.alerts.map { "\($0.source.value) \($0.eventsCount) \($0.events.count)" } == one.alerts)
    }

    @Test func alertsCarryWhatTheReferenceSends() throws {
        let harness = try EngineHarness(
            scenarios: [
                ScenarioTests.scenario("type: leaky\ncapacity: 1\nleakspeed: 10s\nlabels: {remediation: true}\n")
            ])
        harness.run([EngineHarness.line("192.0.2.1", 0, user: "b"), EngineHarness.line("192.0.2.1", 2, user: "a")])
        let alert = try #require(harness.alerts.first)
        #expect(alert.scenario == "test/s")
        #expect(alert.message == "Ip 192.0.2.1 performed 'test/s' (2 events over 2s) at 2026-06-01 12:00:02 +0000 UTC")
        #expect(alert.startAt == "2026-06-01T12:00:00Z")
        #expect(alert.stopAt == "2026-06-01T12:00:02Z")
        #expect(alert.leakspeed == "10s")
        #expect(alert.remediation)
        #expect(alert.source.scope == "Ip" && alert.source.ip == "192.0.2.1")
        #expect(alert.uuid.utf8.count == 36)
        #expect(alert.events.map(\.timestamp) == ["2026-06-01T12:00:00Z", "2026-06-01T12:00:02Z"])
        #expect(
            alert.events[0].meta?.map { "\($0.key)=\($0.value)" } == ["log_type=test", "source_ip=192.0.2.1", "user=b"])
    }

    @Test func aTextThatSaysTrueIsNoRemediation() throws {
        let harness = try EngineHarness(scenarios: [
            ScenarioTests.scenario("type: trigger\nlabels: {remediation: 'true'}\n")
        ])
        harness.run(ScenarioTests.burst(1))
        #expect(harness.alerts.map(\.remediation) == [false])
    }

    @Test func anErrorIsTheScenariosOwn() throws {
        let broken = "name: test/broken\ndescription: d\ntype: trigger\nfilter: int(evt.Meta.user) > 1\n"
        let harness = try EngineHarness(scenarios: [broken, ScenarioTests.scenario("type: trigger\n")])
        harness.run(ScenarioTests.burst(2))
        #expect(harness.alerts.count == 2)
        #expect(harness.failures.first?.hasPrefix("test/broken: ") == true)
    }

    @Test func simulatedScenariosSayso() throws {
        let harness = try EngineHarness(scenarios: [ScenarioTests.scenario("type: trigger\n")]) { loader in
            loader.simulation.exclusions = ["test/s"]
        }
        harness.run(ScenarioTests.burst(1))
        #expect(harness.alerts.map(\.simulated) == [true])
    }

    @Test func theEldestBucketGivesWayAtTheCeiling() throws {
        let harness = try EngineHarness(
            scenarios: [ScenarioTests.scenario("type: leaky\ncapacity: 2\nleakspeed: 1h\n")], bucketCeiling: 10)
        harness.run((0..<12).map { EngineHarness.line("192.0.2.\($0)", $0) })
        #expect(harness.worker?.liveBuckets == 10)
        #expect(harness.worker?.scenarioCounts[0].evicted == 2)
        harness.run((0..<3).map { EngineHarness.line("192.0.2.11", 20 + $0) })
        #expect(harness.alerts.map(\.source.value) == ["192.0.2.11"])
    }

    @Test func liveBucketsEndByTheClock() throws {
        let harness = try EngineHarness(
            scenarios: [
                ScenarioTests.scenario("type: leaky\ncapacity: 2\nleakspeed: 1s\n"),
                ScenarioTests.scenario("type: counter\ncapacity: -1\nduration: 1m\n", name: "test/counter"),
            ], isReplay: false)
        harness.run(ScenarioTests.burst(2))
        let worker = try #require(harness.worker)
        #expect(worker.liveBuckets == 2)
        worker.sweep(at: .now() + .seconds(10))
        #expect(worker.liveBuckets == 1)
        worker.sweep(at: .now() + .seconds(120))
        #expect(worker.liveBuckets == 0)
        #expect(harness.alerts.map { "\($0.scenario) \($0.eventsCount)" } == ["test/counter 2"])
    }

    /// More than five addresses of a range: the range.
    @Test func overflowsOfAddressesAddUpToARange() throws {
        let ranged = EngineHarness.plainParser + "\n  - {meta: SourceRange, value: 192.0.2.0/24}"
        let range = """
            name: test/range
            description: d
            type: leaky
            filter: evt.GetType() == 'overflow' && evt.Overflow.Alert.Remediation == true
            groupby: evt.Overflow.Alert.Source.Range
            distinct: evt.Overflow.Alert.Source.IP
            capacity: 2
            leakspeed: 1h
            labels: {remediation: true}
            scope: {type: Range}

            """
        let harness = try EngineHarness(
            parsers: [("s01-parse", ranged)],
            scenarios: [ScenarioTests.scenario("type: trigger\nreprocess: true\nlabels: {remediation: true}\n"), range])
        harness.run([1, 1, 2, 3, 4].map { EngineHarness.line("192.0.2.\($0)", 0) })
        let alerts = harness.alerts.filter { $0.scenario == "test/range" }
        #expect(alerts.map { "\($0.source.scope) \($0.source.value) \($0.eventsCount)" } == ["Range 192.0.2.0/24 3"])
    }

    /// A replay keeps buckets until their partition comes again, but not without end.
    @Test func aReplayLetsGoOfBucketsWhoseTimeIsLongOver() throws {
        let harness = try EngineHarness(
            scenarios: [ScenarioTests.scenario("type: leaky\ncapacity: 2\nleakspeed: 10s\n")], bucketCeiling: 50_000)
        func lines(_ network: Int, _ second: Int) -> [String] {
            (0..<10_000).map { EngineHarness.line("10.\(network).\($0 / 250).\($0 % 250)", second) }
        }
        harness.run(lines(1, 0))
        #expect(harness.worker?.liveBuckets == 10_000)
        harness.run([EngineHarness.line("192.0.2.1", 3_000)])
        #expect(harness.worker?.liveBuckets == 10_001, "an hour's disorder is nothing unusual")
        harness.run(lines(2, 4_000))
        #expect((harness.worker?.liveBuckets ?? 0) <= 12_502)
        #expect(harness.worker?.scenarioCounts[0].evicted == 0)
        #expect(harness.alerts.isEmpty)
    }

    @Test func reprocessedOverflowsReachScenariosThatWantThem() throws {
        let again = """
            name: test/again
            description: d
            type: trigger
            filter: evt.GetType() == 'overflow' && evt.Overflow.Alert.GetScenario() == 'test/s'
            scope: {type: what, expression: evt.Overflow.Alert.Source.IP}

            """
        let harness = try EngineHarness(
            scenarios: [ScenarioTests.scenario("type: trigger\nreprocess: true\n"), again])
        harness.run(ScenarioTests.burst(1))
        #expect(harness.alerts.count == 1)
        #expect(harness.alerts.first?.scenario == "test/s")
    }
}
