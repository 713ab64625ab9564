import CrowdCore
import CrowdTestSupport
import Glibc
import Synchronization
import Testing

@Suite("An outage of the Local API", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct OutageTests {
    private static let count = 10_000
    private static let poisoned = "45.9.9.9"
    /// One alert for each line.
    private static let scenario = """
        type: trigger
        name: test/each
        description: each failure
        filter: evt.Meta.log_type == 'ssh_failed-auth'
        labels: {remediation: true}
        """

    /// A Local API that refuses every request with a certain alert in it.
    private final class Recorder: Sendable {
        let sources = Mutex<[String: Int]>([:])

        func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Response {
            if request.path == "/v1/watchers/login" {
                return .init(200, #"{"code":200,"expire":"2099-01-01T00:00:00Z","token":"x"}"#)
            }
            guard request.path == "/v1/alerts" else { return .init(request.path == "/v1/usage-metrics" ? 201 : 200) }
            let alerts = (try? JSON.parse(request.body))?.array ?? []
            let values = alerts.map { $0["source"]?["value"]?.string ?? "" }
            guard !values.contains(OutageTests.poisoned) else {
                return .init(422, #"{"message":"validation failure list:\n0.events in body is required"}"#)
            }
            sources.withLock { sources in for value in values { sources[value, default: 0] += 1 } }
            return .init(201, "[" + values.indices.map { "\"\($0)\"" }.joined(separator: ",") + "]")
        }
    }

    /// Ten thousand alerts wait, the agent is killed and stopped meanwhile, one of them is refused for good.
    @Test func allOthersArriveOnceAndTheRefusedOneIsKept() throws {
        let host = try TestHost()
        try Command.must("rm -r \(host.path)/etc/scenarios")
        try host.directory.write("etc/scenarios/each.yaml", Self.scenario)
        let socket = host.path + "/api.sock"
        try host.directory.write("etc/local_api_credentials.yaml", "url: \(socket)\nlogin: m\npassword: p\n")
        var sources = (1..<Self.count).map { "45.\(10 + $0 / 200).\($0 % 200).7" }
        sources.insert(Self.poisoned, at: Self.count / 3)
        var agent = try host.startAgent()
        for (number, part) in stride(from: 0, to: Self.count, by: 1_250).enumerated() {
            let some = sources[part..<min(part + 1_250, Self.count)]
            AttackLog.append(some.map { AttackLog.failure(of: "root", by: $0) }.joined(), to: host.followed)
            if number == 2 || number == 5 {
                usleep(200_000)
                agent.kill()
                agent = try host.startAgent()
            }
        }
        let spool = host.path + "/data/crowd-agent/alerts.spool"
        #expect(try host.waits(seconds: 60) { Command.text(spool).contains("\"\(sources[Self.count - 1])\"") })
        #expect(agent.stop() == 0)
        agent = try host.startAgent()
        let recorder = Recorder()
        let server = try ScriptedServer(socketPath: socket) { recorder.answer($0) }
        _ = try host.waits(seconds: 60) { recorder.sources.withLock { $0.count } >= Self.count - 1 }
        let refused = host.path + "/data/crowd-agent/refused-alerts.jsonl"
        #expect(try host.waits { FileContents.exists(refused) })
        let received = recorder.sources.withLock { $0 }
        #expect(Set(received.keys) == Set(sources).subtracting([Self.poisoned]))
        #expect(received.values.allSatisfy { $0 == 1 })
        let letters = Command.text(refused).split(separator: "\n")
        #expect(letters.count == 1)
        let letter = try JSON.parse(Array((letters.first ?? "").utf8))
        #expect(letter["alert"]?["source"]?["value"]?.string == Self.poisoned)
        #expect(letter["status"]?.int == 422 && letter["reason"]?.string?.contains("events") == true)
        #expect(agent.stop() == 0)
        server.stop()
    }
}
