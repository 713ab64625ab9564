import CrowdCore
import Glibc
import Synchronization
import Testing

@testable import CrowdEngine

/// Overflows wait for names, lines do not, and what comes out is what waiting would have given.
@Suite("Overflows that wait for names") struct WaitingOverflowsTests {
    private static let postoverflows = [
        """
        name: test/rdns
        filter: evt.Overflow.Alert.Remediation == true && evt.Overflow.Alert.GetScope() == 'Ip'
        statics:
          - {method: reverse_dns, expression: evt.Overflow.Alert.Source.IP}
        """,
        """
        name: test/white
        filter: "true"
        whitelist: {reason: friends, expression: ["evt.Enriched.reverse_dns endsWith '.friend.example.'"]}
        """,
    ]

    /// A trigger's alert for each line; `fields` are added to it.
    private static func scenario(_ fields: String = "", remediation: Bool = true) -> String {
        SnapshotTests.scenario("labels: {remediation: \(remediation)}\n" + fields, type: "trigger")
    }

    /// Names by the address's last number: each third a friend's, each fifth none.
    private static func name(_ address: IPAddress) -> String? {
        let number = Int(address.description.split(separator: ".").last ?? "") ?? 0
        if number % 5 == 0 { return nil }
        return number % 3 == 0 ? "h\(number).friend.example." : "h\(number).example."
    }

    private func harness(
        _ scenarios: [String], waiting: Bool = true, resolve: @escaping @Sendable (IPAddress) -> String?
    ) throws -> EngineHarness {
        try EngineHarness(
            scenarios: scenarios, postoverflows: Self.postoverflows, lettingOverflowsWait: waiting
        ) { $0.reverseDNS = ReverseDNS(resolve: resolve) }
    }

    private static func lines(_ numbers: some Sequence<Int>) -> [String] {
        numbers.map { EngineHarness.line("192.0.2.\($0)", $0) }
    }

    /// Even if they are to be poured again, as long as no scenario wants them.
    @Test(arguments: ["", "reprocess: true\n"]) func linesGoOn(_ fields: String) throws {
        let gate = Completion<Bool>()
        defer { gate.set(true) }
        let harness = try harness([Self.scenario(fields)]) { address in
            _ = gate.wait()
            return Self.name(address)
        }
        harness.run(Self.lines(1...100))
        #expect(harness.alerts.isEmpty)
        #expect(harness.worker?.hasWaitingOverflows == true)
        #expect(harness.worker?.pouredScenarios == ["test/s"])
        gate.set(true)
        harness.worker?.settleWaiting(all: true)
        #expect(harness.worker?.hasWaitingOverflows == false)
        let strangers = (1...100).filter { $0 % 5 == 0 || $0 % 3 != 0 }
        #expect(harness.alerts.map(\.source.value).sorted() == strangers.map { "192.0.2.\($0)" }.sorted())
        #expect(harness.ignored.count == 100 - strangers.count)
    }

    /// More than may wait, answers in any order: the same as without waiting.
    @Test func theOutcomeIsThatOfWaiting() throws {
        let many = Self.lines((0..<600).map { $0 * 7 % 250 })
        let direct = try harness([Self.scenario()], waiting: false, resolve: Self.name)
        direct.run(many)
        let turn = Atomic(0)
        let waiting = try harness([Self.scenario()]) { address in
            // Every fourth answer comes after some of those that were asked for later.
            if turn.wrappingAdd(1, ordering: .relaxed).newValue % 4 == 0 { usleep(2_000) }
            return Self.name(address)
        }
        waiting.run(many)
        waiting.worker?.settleWaiting(all: true)
        #expect(waiting.alerts.map(\.source.value).sorted() == direct.alerts.map(\.source.value).sorted())
        #expect(waiting.ignored.count == direct.ignored.count)
    }

    /// Somebody's slow name server is nobody else's.
    @Test func aSlowNameHoldsUpItsOwnAlertOnly() throws {
        let gate = Completion<Bool>()
        defer { gate.set(true) }
        let harness = try harness([Self.scenario()]) { address in
            if address.description == "192.0.2.1" { _ = gate.wait() }
            return nil
        }
        harness.run(Self.lines(1...50))
        while harness.alerts.count < 49 { harness.worker?.settleWaiting() }
        #expect(harness.alerts.map(\.source.value).sorted() == (2...50).map { "192.0.2.\($0)" }.sorted())
        gate.set(true)
        harness.worker?.settleWaiting(all: true)
        #expect(harness.alerts.last?.source.value == "192.0.2.1")
        #expect(harness.alerts.count == 50)
    }

    @Test func nobodyIsAskedWhereNoRemedyIsWanted() throws {
        let asked = Atomic(0)
        let harness = try harness([Self.scenario(remediation: false)]) { address in
            asked.wrappingAdd(1, ordering: .relaxed)
            return Self.name(address)
        }
        harness.run(Self.lines(1...10))
        #expect(harness.alerts.count == 10)
        #expect(asked.load(ordering: .relaxed) == 0)
    }

    /// An overflow that is poured again is settled before the next line.
    @Test func whatIsPouredAgainWaits() throws {
        let again = """
            type: leaky
            name: test/again
            description: d
            filter: evt.GetType() == 'overflow' && evt.Overflow.Alert.Scenario == 'test/s'
            groupby: evt.Overflow.Alert.Source.IP
            capacity: 2
            leakspeed: 1h
            labels: {remediation: true}
            """
        for waiting in [false, true] {
            let harness = try harness([Self.scenario("reprocess: true\n"), again], waiting: waiting) { address in
                usleep(1_000)
                return Self.name(address)
            }
            harness.run(Self.lines([1, 1, 3, 1, 3, 1]))
            harness.worker?.settleWaiting(all: true)
            #expect(harness.alerts.map(\.scenario) == ["test/s", "test/s", "test/s", "test/again", "test/s"])
        }
    }

    /// A name server that never answers costs the patience once, not once for each overflow.
    @Test func lateNamesAreDoneWithout() throws {
        let gate = Completion<Bool>()
        defer { gate.set(true) }
        let harness = try EngineHarness(
            scenarios: [Self.scenario()], postoverflows: Self.postoverflows, lettingOverflowsWait: true
        ) {
            $0.reverseDNS = ReverseDNS(patience: .milliseconds(30)) { _ in
                _ = gate.wait()
                return nil
            }
        }
        harness.run(Self.lines(1...40))
        harness.worker?.settleWaiting(all: true)
        #expect(Set(harness.alerts.map(\.source.value)) == Set((1...40).map { "192.0.2.\($0)" }))
        #expect(harness.alerts.count == 40)
    }
}
