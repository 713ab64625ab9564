import CrowdCore
import Glibc
import Synchronization
import Testing

@testable import CrowdEngine

@Suite("Reverse DNS") struct ReverseDNSTests {
    private final class Resolver: Sendable {
        let asked = Mutex<[String]>([])
        func name(_ address: IPAddress) -> String? {
            asked.withLock { $0.append(address.description) }
            return address.description == "192.0.2.1" ? "one.example." : nil
        }
    }

    @Test func answersAreKeptForAWhile() throws {
        let resolver = Resolver()
        let names = ReverseDNS { resolver.name($0) }
        let now = Timestamp.now()
        for address in ["192.0.2.1", "192.0.2.2"] {
            let address = try #require(IPAddress(address))
            for minute in [0, 4, 6, 59, 61] as [Int64] {
                let name = names.name(of: address, now: now + .seconds(minute * 60))
                #expect(name == (address.description == "192.0.2.1" ? "one.example." : nil))
            }
        }
        // A name is good for an hour, its absence for five minutes after it was last asked for.
        #expect(resolver.asked.withLock { $0.count { $0 == "192.0.2.1" } } == 2)
        #expect(resolver.asked.withLock { $0.count { $0 == "192.0.2.2" } } == 3)
    }

    @Test func theSystemsResolverGivesATrailingDot() throws {
        let name = ReverseDNS.systemName(try #require(IPAddress("127.0.0.1")))
        #expect(name?.hasSuffix(".") ?? true)
    }

    /// The postoverflow of the hub: the name is there for whitelists.
    @Test func isAMethodOfStatics() throws {
        let postoverflow = """
            name: test/rdns
            filter: evt.Overflow.Alert.Remediation == true && evt.Overflow.Alert.GetScope() == 'Ip'
            statics:
              - {method: reverse_dns, expression: evt.Overflow.Alert.Source.IP}
              - {meta: reverse_dns, expression: evt.Enriched.reverse_dns}
            """
        let whitelist = """
            name: test/white
            filter: "true"
            whitelist: {reason: friends, expression: ["evt.Enriched.reverse_dns endsWith '.example.'"]}
            """
        let scenario = SnapshotTests.scenario("labels: {remediation: true}\n", type: "trigger")
        let harness = try EngineHarness(scenarios: [scenario], postoverflows: [postoverflow, whitelist]) { loader in
            loader.reverseDNS = ReverseDNS { $0.description == "192.0.2.1" ? "one.example." : nil }
        }
        harness.run([EngineHarness.line("192.0.2.1", 0), EngineHarness.line("192.0.2.2", 0)])
        #expect(harness.alerts.map(\.source.value) == ["192.0.2.2"])
        #expect(harness.ignored == ["friends"])
    }
}
