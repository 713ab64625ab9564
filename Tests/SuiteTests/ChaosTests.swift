import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

/// Agent, Local API and bouncer are killed at random while a known attack log is written and rotated: the alerts are
/// those of an undisturbed run, none missing, none twice.
///
/// `CROWD_CHAOS_KILLS` and `CROWD_CHAOS_SEED` make it longer and another one (`make chaos`).
@Suite("Chaos", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(20)))
struct ChaosTests {
    private static let sources = (1...20).map { "198.51.100.\($0)" }
    private static let kills = number("CROWD_CHAOS_KILLS") ?? 12
    private static let seed = UInt64(number("CROWD_CHAOS_SEED") ?? 1)
    /// Six lines of each source make an alert; so many alerts of each.
    private static let rounds = 6 * 8

    private static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

    /// All lines, mixed, but those of a source in their order.
    private func lines() -> [String] {
        var random = SeededRandom(Self.seed)
        var next = Dictionary(uniqueKeysWithValues: Self.sources.map { ($0, 1) })
        var order = Self.sources.flatMap { Array(repeating: $0, count: Self.rounds) }
        order.shuffle(using: &random)
        return order.map { source in
            defer { next[source, default: 0] += 1 }
            return ExactAlerts.line(source, next[source] ?? 0)
        }
    }

    private func alerts(_ host: TestHost) -> [ExactAlerts.Seen] {
        let json = (try? JSON.parse(Array(host.cscli("alerts list --limit 0 -o json").utf8))) ?? .null
        return ExactAlerts.seen(in: json).sorted()
    }

    /// What an agent that nobody disturbs makes of it.
    private func undisturbed(_ lines: [String]) throws -> [ExactAlerts.Seen] {
        let host = try ExactAlerts.makeHost()
        _ = [try host.startLAPI(), try host.startAgent()]
        AttackLog.append(lines.joined(), to: host.followed)
        let count = Self.sources.count * Self.rounds / 6
        #expect(try host.waits(seconds: 60) { alerts(host).count >= count })
        return alerts(host)
    }

    @Test func alertsAreThoseOfAnUndisturbedRun() throws {
        let lines = lines()
        let expected = try undisturbed(lines)
        #expect(expected.count == Self.sources.count * Self.rounds / 6)
        let host = try ExactAlerts.makeHost()
        var lapi = try host.startLAPI()
        var agent = try host.startAgent()
        var bouncer = try host.startBouncer()
        var random = SeededRandom(Self.seed &+ 77)
        var written = 0
        func write(_ count: Int) {
            let some = lines[written..<min(written + count, lines.count)]
            AttackLog.append(some.joined(), to: host.followed)
            written += some.count
        }
        for kill in 0..<Self.kills {
            let left = (lines.count - written) / (Self.kills - kill)
            for _ in 0..<3 {
                write(left / 4 + 1)
                usleep(UInt32.random(in: 0..<15_000, using: &random))
            }
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                lapi.kill()
                write(left / 4 + 1)
                lapi = try host.startLAPI()
            case 1:
                bouncer.kill()
                write(left / 4 + 1)
                bouncer = try host.startBouncer()
            default:
                agent.kill()
                write(left / 4 + 1)
                if Bool.random(using: &random) { rename(host.followed, host.followed + ".\(kill + 1)") }
                AttackLog.append("", to: host.followed)
                agent = try host.startAgent()
            }
        }
        write(lines.count)
        print("chaos: \(Self.kills) kills, seed \(Self.seed), \(lines.count) lines")
        _ = try host.waits(seconds: 60) { alerts(host).count >= expected.count }
        // What should not come has had time to come.
        usleep(1_000_000)
        let found = alerts(host)
        #expect(
            found == expected, "missing \(Set(expected).subtracting(found)), more \(Set(found).subtracting(expected))")
        #expect(try host.waits { try Self.sources.allSatisfy { try host.ruleset().contains($0) } })
        #expect([agent.stop(), bouncer.stop(), lapi.stop()] == [0, 0, 0])
    }
}
