import CrowdCore
import CrowdHTTP
import CrowdTestSupport
import Synchronization
import Testing

@Suite("HTTP client") struct HTTPClientTests {
    @Test func sendsMethodHeadersAndBodyOverOneConnection() async throws {
        let server = try ScriptedServer { .init(201, "got \($0.body.count)", headers: [("X-Answer", "yes")]) }
        let client = HTTPClient(HTTPEndpoint(baseURL: server.url, userAgent: "crowdsec/v1"))
        for _ in 0..<3 {
            let request = HTTPRequest(.post, "v1/alerts", headers: [("X-Api-Key", "k")], body: [1, 2, 3])
            let response = try await client.send(request)
            #expect(response.status == 201 && response.text == "got 3" && response["x-answer"] == "yes")
        }
        let seen = server.requests
        #expect(seen.map(\.connection) == [1, 1, 1])
        #expect(seen[0].path == "/v1/alerts" && seen[0].method == "POST" && seen[0].body == [1, 2, 3])
        #expect(seen[0].headers["x-api-key"] == "k" && seen[0].headers["user-agent"] == "crowdsec/v1")
    }

    @Test(arguments: [HTTPRequest.Method.get, .head, .delete, .put])
    func methodsArriveAsTheyAre(_ method: HTTPRequest.Method) async throws {
        let server = try ScriptedServer { _ in .init(200, "x") }
        let response = try await HTTPClient(.init(baseURL: server.url, userAgent: "t/1")).send(.init(method, "p"))
        #expect(server.requests.first?.method == method.rawValue)
        #expect(response.text == (method == .head ? "" : "x"))
    }

    @Test func unixSocketsWork() async throws {
        let directory = try TemporaryDirectory()
        let server = try ScriptedServer(socketPath: directory.path + "/s") { .init(200, $0.path) }
        let client = HTTPClient(.init(socketPath: directory.path + "/s", userAgent: "t/1"))
        #expect(try await client.send(.init(.get, "v1/x")).text == "/v1/x")
        _ = server
    }

    @Test func failuresAreTold() async throws {
        let slow = try ScriptedServer { _ in
            sleepSeconds(2)
            return .init(200)
        }
        var request = HTTPRequest(.get, "")
        request.timeout = .milliseconds(100)
        let client = HTTPClient(.init(baseURL: slow.url, userAgent: "t/1"))
        await #expect(throws: HTTPError.timedOut) { try await client.send(request) }

        let gone = try ScriptedServer { _ in .drop }
        let broken = await #expect(throws: HTTPError.self) {
            try await HTTPClient(.init(baseURL: gone.url, userAgent: "t/1")).send(.init(.get, ""))
        }
        guard case .broken = broken else {
            Issue.record("\(String(describing: broken))")
            return
        }
        gone.stop()
        let refused = await #expect(throws: HTTPError.self) {
            try await HTTPClient(.init(baseURL: "http://127.0.0.1:1/", userAgent: "t/1")).send(.init(.get, ""))
        }
        guard case .unreachable(let text) = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(text.contains("127.0.0.1"))
    }

    @Test func longAnswersAreCutOff() async throws {
        let server = try ScriptedServer { _ in .init(200, String(repeating: "x", count: 100_000)) }
        var request = HTTPRequest(.get, "")
        request.maxResponseBytes = 1000
        let client = HTTPClient(.init(baseURL: server.url, userAgent: "t/1"))
        await #expect(throws: HTTPError.tooLarge(limit: 1000)) { try await client.send(request) }
    }

    @Test func aSinkTakesTheBodyInPieces() async throws {
        let server = try ScriptedServer { _ in .init(200, String(repeating: "x", count: 1_000_000)) }
        let total = Total()
        var request = HTTPRequest(.get, "")
        request.bodySink = { total.add($0.count) }
        let response = try await HTTPClient(.init(baseURL: server.url, userAgent: "t/1")).send(request)
        #expect(response.body.isEmpty && total.value == 1_000_000)
    }

    @Test func cancellingBreaksOff() async throws {
        let gate = Gate()
        let server = try ScriptedServer { _ in
            gate.wait()
            return .init(200)
        }
        let client = HTTPClient(.init(baseURL: server.url, userAgent: "t/1"))
        let task = Task { try await client.send(patient("")) }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        // The server answers only after this.
        await #expect(throws: HTTPError.cancelled) { try await task.value }
        gate.open()
    }

    @Test func oneRequestDoesNotHoldUpAnother() async throws {
        let gate = Gate()
        let server = try ScriptedServer { request in
            if request.path == "/held" { gate.wait() }
            return .init(200, request.path)
        }
        let client = HTTPClient(.init(baseURL: server.url, userAgent: "t/1"))
        async let held = client.send(patient("held"))
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await client.send(patient("quick")).text == "/quick")
        gate.open()
        #expect(try await held.text == "/held")
    }
}

/// A request that no time limit ends: while other tests block the threads, a test may stand still for a minute.
private func patient(_ path: String) -> HTTPRequest {
    var request = HTTPRequest(.get, path)
    request.timeout = .seconds(600)
    return request
}

/// Holds a handler until the test says so, at most ten minutes.
private final class Gate: Sendable {
    private let isOpen = Mutex(false)
    func open() { isOpen.withLock { $0 = true } }
    func wait() {
        for _ in 0..<120_000 where !isOpen.withLock({ $0 }) { sleepMilliseconds(5) }
    }
}

private final class Total: Sendable {
    private let sum = Mutex(0)
    var value: Int { sum.withLock { $0 } }
    func add(_ count: Int) -> Bool {
        sum.withLock { $0 += count }
        return true
    }
}
