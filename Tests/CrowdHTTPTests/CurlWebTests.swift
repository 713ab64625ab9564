import CrowdCore
import CrowdHTTP
import CrowdTestSupport
import Testing

@Suite("Questions to web servers over libcurl") struct CurlWebTests {
    @Test(arguments: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    func asks(_ method: String) throws {
        let server = try ScriptedServer { request in
            .init(201, "\(request.method) \(request.headers["x-mine"] ?? "-")", headers: [("X-Yours", "2")])
        }
        let body: [UInt8]? = ["POST", "PUT", "PATCH"].contains(method) ? Array("a=b".utf8) : nil
        let answer = try CurlWeb.guarded().ask(
            WebQuestion(method, server.url + "p?q", headers: [("X-Mine", "1")], body: body))
        #expect(answer.status == 201)
        #expect(answer.headers.contains { $0 == ("x-yours", "2") })
        #expect(String(decoding: answer.body, as: UTF8.self) == (method == "HEAD" ? "" : "\(method) 1"))
        let request = try #require(server.requests.first)
        #expect(request.method == method && request.path == "/p?q" && request.body == body ?? [])
    }

    @Test func followsARedirect() throws {
        let server = try ScriptedServer {
            $0.path == "/a" ? .init(302, headers: [("Location", "/b")]) : .init(200, "b")
        }
        #expect(try CurlWeb.guarded().ask(WebQuestion("GET", server.url + "a")).body == Array("b".utf8))
    }

    @Test func whatIsTooLongOrBrokenIsAnError() throws {
        var limits = GuardedWeb.Limits()
        limits.bodyBytes = 1_000
        let server = try ScriptedServer { request in
            switch request.path {
            case "/large": return .init(200, String(repeating: "x", count: 1_001))
            case "/enough": return .init(200, String(repeating: "x", count: 1_000))
            default: return .drop
            }
        }
        let web = CurlWeb.guarded(limits)
        #expect(try web.ask(WebQuestion("GET", server.url + "enough")).body.count == 1_000)
        for path in ["large", "dropped"] {
            #expect(throws: ValueError.self, "\(path)") { try web.ask(WebQuestion("GET", server.url + path)) }
        }
        #expect(throws: ValueError.self) { try web.ask(WebQuestion("BREW", server.url)) }
    }
}
