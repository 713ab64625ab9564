import CrowdCore
import CrowdExpr
import CrowdTestSupport
import NIOCore
import Testing

@testable import CrowdServer

@Suite("Questions to web servers from profiles") struct WebExchangeTests {
    @Test(arguments: ["GET", "HEAD", "POST", "DELETE"])
    func asks(_ method: String) async throws {
        let server = try ScriptedServer { request in
            .init(404, "\(request.method) \(request.headers["x-api-key"] ?? "-")", headers: [("X-Yours", "2")])
        }
        let question = WebQuestion(
            method, server.url + "p?q", headers: [("x-api-key", "k")], body: method == "POST" ? [1, 2] : nil)
        let exchange = try #require(WebExchange(question))
        let answer = try await exchange.begin().get()
        #expect(answer.status == 404 && answer.headers.contains { $0 == ("x-yours", "2") })
        #expect(String(decoding: answer.body, as: UTF8.self) == (method == "HEAD" ? "" : "\(method) k"))
        let request = try #require(server.requests.first)
        #expect(request.path == "/p?q" && request.body == (method == "POST" ? [1, 2] : []))
    }

    @Test(arguments: ["large", "dropped", "broken"])
    func failures(_ kind: String) async throws {
        let server = try ScriptedServer { _ in
            var answer = ScriptedServer.Response(200, String(repeating: "x", count: 200))
            if kind == "broken" { answer.breaksAfter = 10 }
            return kind == "dropped" ? .drop : answer
        }
        var exchange = try #require(WebExchange(WebQuestion("GET", server.url)))
        exchange.bodyBytes = 100
        let failure = await #expect(throws: GuardedWeb.Failure.self) { try await exchange.begin().get() }
        #expect(failure?.isServers == (kind != "large"))
    }

    /// A profile asks for the reputation of an alert's source, off the event loop.
    @Test func aProfileKnowsReputations() async throws {
        let server = try ScriptedServer { request in
            request.path == "/v2/192.0.2.1" && request.headers["x-api-key"] == "k"
                ? .init(200, #"{"background_noise_score": 9}"#) : .init(404)
        }
        let filter = "CrowdsecCTI(Alert.GetValue()).GetBackgroundNoiseScore() > 6"
        let verdicts = try await BackgroundWork.run {
            let reputations = Reputations(
                key: "k", lifetime: .seconds(60), capacity: 10, web: WebExchange.guarded(), baseURL: server.url + "v2/")
            let language = ProfileLanguage(ProfileResources(decisions: DecisionMemory(), reputations: reputations))
            let program = try language.filter(filter)
            #expect(program.asksOthers)
            return try ["192.0.2.1", "192.0.2.2", "192.0.2.1"].map { address in
                var alert = Alert()
                alert.source.value = address
                return try AlertSubject(alert).bool(program)
            }
        }
        #expect(verdicts == [true, false, true])
        #expect(server.requests.count == 2)
    }
}
