import CrowdCore
import CrowdTestSupport
import Glibc
import Synchronization
import Testing

/// A Local API that knows no uuids, as CrowdSec's: what it has answered must not come again.
@Suite("Answered alerts", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct AnsweredAlertTests {
    /// Takes alerts; on request it keeps whoever sends them waiting and takes none.
    private final class Forgetful: Sendable {
        private let state = Mutex<(taken: [String], isSilent: Bool)>(([], false))

        var taken: [String] { state.withLock { $0.taken } }
        func setSilent(_ isSilent: Bool) { state.withLock { $0.isSilent = isSilent } }

        func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Response {
            if request.path == "/v1/watchers/login" {
                return .init(200, #"{"code":200,"expire":"2099-01-01T00:00:00Z","token":"x"}"#)
            }
            guard request.path == "/v1/alerts" else { return .init(request.path == "/v1/usage-metrics" ? 201 : 200) }
            if state.withLock({ $0.isSilent }) {
                while state.withLock({ $0.isSilent }) { usleep(10_000) }
                return .drop
            }
            let alerts = (try? JSON.parse(request.body))?.array ?? []
            let sources = alerts.map { $0["source"]?["value"]?.string ?? "" }
            state.withLock { $0.taken += sources }
            return .init(201, "[" + sources.indices.map { "\"\($0)\"" }.joined(separator: ",") + "]")
        }
    }

    private let host: TestHost
    private let api = Forgetful()
    private let server: ScriptedServer
    private var spool: String { host.path + "/data/crowd-agent/alerts.spool" }

    init() throws {
        host = try TestHost()
        let socket = host.path + "/api.sock"
        try host.directory.write("etc/local_api_credentials.yaml", "url: \(socket)\nlogin: m\npassword: p\n")
        server = try ScriptedServer(socketPath: socket) { [api] in api.answer($0) }
    }

    private func attack(_ numbers: ClosedRange<Int>) {
        for number in numbers { AttackLog.append(AttackLog.bruteForce(by: "45.7.7.\(number)"), to: host.followed) }
    }

    private func sources(_ numbers: ClosedRange<Int>) -> [String] { numbers.map { "45.7.7.\($0)" } }

    /// Killed before any checkpoint: the lines are gone through again, the alerts are known.
    @Test func areNotSentAgainThoughTheAgentIsKilled() throws {
        for round in 0..<4 {
            let agent = try host.startAgent()
            let numbers = (round * 10 + 1)...(round * 10 + 10)
            attack(numbers)
            #expect(try host.waits { api.taken.count >= numbers.upperBound })
            usleep(100_000)
            agent.kill()
        }
        #expect(Command.text(spool).isEmpty, "answered alerts were written")
        let last = try host.startAgent()
        attack(41...41)
        #expect(try host.waits { api.taken.contains("45.7.7.41") })
        #expect(last.stop() == 0)
        #expect(api.taken.sorted() == sources(1...41).sorted())
    }

    /// The position moves on (by a reload's checkpoint) while the Local API says nothing; then the agent is killed.
    @Test func areOnTheDiskBeforeThePositionMovesOn() throws {
        api.setSilent(true)
        let agent = try host.startAgent()
        attack(1...10)
        #expect(try host.waits { sources(1...10).allSatisfy { host.log("crowdsec.log").contains($0) } })
        let checkpoint = host.path + "/data/crowd-agent/checkpoint"
        let before = try FileContents.read(checkpoint)
        #expect(agent.reload())
        #expect(try host.waits { try FileContents.read(checkpoint) != before })
        #expect(sources(1...10).allSatisfy { Command.text(spool).contains("\"\($0)\"") })
        agent.kill()
        #expect(api.taken.isEmpty)
        let second = try host.startAgent()
        api.setSilent(false)
        #expect(try host.waits { api.taken.count >= 10 && Command.text(spool).isEmpty })
        #expect(second.stop() == 0)
        #expect(api.taken.sorted() == sources(1...10).sorted())
    }
}
