import CrowdTestSupport
import Testing

@testable import CrowdServer

@Suite("Client for OCSP responders") struct ResponderClientTests {
    @Test(arguments: [
        "https://example.org/", "ldap://example.org/", "http://", "http:///path", "http://user@example.org/",
        "http://example.org:0/", "http://example.org:99999/", "http://example.org:x/", "http://exa mple.org/",
        "http://example.org/a b", "",
    ])
    func otherURLsAreRefused(_ url: String) { #expect(ResponderClient(url) == nil) }

    @Test func postsAndReads() async throws {
        let server = try ScriptedServer { request in
            .init(request.path == "/a?b" && request.method == "POST" ? 200 : 404, bytes: request.body.reversed())
        }
        let answer = await ResponderClient("http://127.0.0.1:\(server.port)/a?b")?.post([1, 2, 3])
        #expect(answer == [3, 2, 1])
        let other = await ResponderClient("http://127.0.0.1:\(server.port)")?.post([1])
        #expect(other == nil)
    }

    @Test func brokenAnswersAreNone() async throws {
        for (index, answer) in [
            ScriptedServer.Response.drop, .init(200, bytes: Array(repeating: 0, count: 70_000)), .init(500, "x"),
        ].enumerated() {
            let server = try ScriptedServer { _ in answer }
            let received = await ResponderClient("http://127.0.0.1:\(server.port)/")?.post([1])
            #expect(received == nil, "answer \(index)")
            server.stop()
        }
    }
}
