import CrowdCore
import Synchronization
import Testing

@Suite("Web servers for expressions") struct GuardedWebTests {
    /// Answers by URL, and remembers what was asked.
    private final class Script: Sendable {
        let asked = Mutex<[WebQuestion]>([])
        let answers: @Sendable (WebQuestion) throws(GuardedWeb.Failure) -> WebAnswer

        init(_ answers: @escaping @Sendable (WebQuestion) throws(GuardedWeb.Failure) -> WebAnswer) {
            self.answers = answers
        }

        func guarded(_ limits: GuardedWeb.Limits = .init()) -> GuardedWeb {
            GuardedWeb(limits) { question, _, _ throws(GuardedWeb.Failure) in
                self.asked.withLock { $0.append(question) }
                return try self.answers(question)
            }
        }

        var urls: [String] { asked.withLock { $0.map { "\($0.method) \($0.url)" } } }
    }

    struct Redirect: Sendable {
        var status: Int
        var method = "GET"
        var location: String
        var asks: String?
    }

    @Test(arguments: [
        Redirect(status: 302, location: "/b", asks: "GET http://a.example:8080/b"),
        Redirect(status: 301, method: "POST", location: "http://b.example/x", asks: "GET http://b.example/x"),
        Redirect(status: 303, method: "HEAD", location: "next", asks: "HEAD http://a.example:8080/d/next"),
        Redirect(status: 307, method: "POST", location: "?q=2", asks: "POST http://a.example:8080/d/start?q=2"),
        Redirect(status: 308, method: "PUT", location: "//c.example/y", asks: "PUT http://c.example/y"),
        Redirect(status: 302, location: "ftp://d.example/", asks: nil),
        Redirect(status: 304, location: "/b", asks: nil), Redirect(status: 200, location: "/b", asks: nil),
    ])
    func followsRedirectsAsBrowsersDo(_ redirect: Redirect) throws {
        let script = Script { question throws(GuardedWeb.Failure) in
            question.url == "http://a.example:8080/d/start?q=1"
                ? WebAnswer(status: redirect.status, headers: [("location", redirect.location)])
                : WebAnswer(status: 299)
        }
        let answer = try script.guarded().ask(
            WebQuestion(redirect.method, "http://a.example:8080/d/start?q=1", body: [1]))
        #expect(answer.status == (redirect.asks == nil ? redirect.status : 299))
        #expect(Array(script.urls.dropFirst()) == (redirect.asks.map { [$0] } ?? []))
        let last = try #require(script.asked.withLock { $0.last })
        #expect(last.body == ((redirect.asks == nil || redirect.status > 303) ? [1] : nil))
    }

    @Test func credentialsStayWithTheirServer() throws {
        let script = Script { question throws(GuardedWeb.Failure) in
            question.url.hasSuffix("/end")
                ? WebAnswer(status: 200)
                : WebAnswer(status: 302, headers: [("location", question.url.hasSuffix("/1") ? "/2" : "http://b/end")])
        }
        let headers = [(name: "Authorization", value: "x"), (name: "Accept", value: "y")]
        _ = try script.guarded().ask(WebQuestion("GET", "http://a/1", headers: headers))
        #expect(
            script.asked.withLock { $0.map { $0.headers.map(\.name) } } == [
                ["Authorization", "Accept"], ["Authorization", "Accept"], ["Accept"],
            ])
    }

    @Test func redirectsEnd() throws {
        let script = Script { _ throws(GuardedWeb.Failure) in WebAnswer(status: 302, headers: [("location", "/again")])
        }
        #expect(throws: ValueError.self) { try script.guarded().ask(WebQuestion("GET", "http://a/")) }
        #expect(script.urls.count == 11)
    }

    /// One that is down is left alone; another server, and an answer that is no failure, have nothing to do with it.
    @Test func aServerThatFailsIsLeftAlone() throws {
        let script = Script { question throws(GuardedWeb.Failure) in
            if question.url.hasPrefix("http://down/") { throw GuardedWeb.Failure("refused", isServers: true) }
            if question.url.hasPrefix("http://large/") { throw GuardedWeb.Failure("too large", isServers: false) }
            return WebAnswer(status: 500)
        }
        let web = script.guarded()
        for _ in 0..<5 {
            #expect(throws: ValueError.self) { try web.ask(WebQuestion("GET", "http://down/x")) }
            #expect(throws: ValueError.self) { try web.ask(WebQuestion("GET", "http://large/x")) }
            #expect(try web.ask(WebQuestion("GET", "http://up/x")).status == 500)
        }
        #expect(script.urls.count { $0.contains("down") } == 3)
        #expect(script.urls.count { $0.contains("large") } == 5)
        #expect(script.urls.count { $0.contains("up") } == 5)
    }

    @Test func afterThePauseItIsAskedAgain() throws {
        let script = Script { _ throws(GuardedWeb.Failure) in throw GuardedWeb.Failure("refused", isServers: true) }
        var limits = GuardedWeb.Limits()
        limits.pause = .zero
        let web = script.guarded(limits)
        for _ in 0..<7 { _ = try? web.ask(WebQuestion("GET", "http://down/x")) }
        #expect(script.urls.count == 7)
    }

    @Test(arguments: ["", "nothing", "ftp://a/", "file:///etc/passwd", "http://", "http:///x", "javascript:x"])
    func otherURLsAreRefused(_ url: String) {
        let script = Script { _ throws(GuardedWeb.Failure) in WebAnswer(status: 200) }
        #expect(throws: ValueError.self) { try script.guarded().ask(WebQuestion("GET", url)) }
        #expect(script.urls.isEmpty)
    }
}
