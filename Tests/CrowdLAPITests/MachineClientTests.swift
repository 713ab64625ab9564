import CrowdCore
import CrowdHTTP
import CrowdTestSupport
import Testing

@testable import CrowdLAPI

private let loginAnswer = "{\"code\":200,\"expire\":\"2036-11-21T09:17:25Z\",\"token\":\"tok\"}"

private func client(_ server: ScriptedServer) -> MachineClient {
    let credentials = LAPICredentials(endpoint: .url(server.url), login: "m", password: "p")
    var settings = MachineClient.Settings(credentials, userAgent: "crowdsec/v0-linux", scenarios: ["a/b"])
    settings.gzipsBodies = true
    settings.waitsWhenBusy = false
    return MachineClient(settings)
}

@Suite("Machine client") struct MachineClientTests {
    @Test func logsInOnceAndPosts() async throws {
        let server = try ScriptedServer { request in
            request.path == "/v1/watchers/login" ? .init(200, loginAnswer) : .init(201, "[\"1\",\"2\"]")
        }
        let machine = client(server)
        #expect(try await machine.postAlerts(Array("[]".utf8)).ids == ["1", "2"])
        #expect(try await machine.postAlerts(Array("[]".utf8)).ids == ["1", "2"])
        let seen = server.requests
        #expect(seen.map(\.path) == ["/v1/watchers/login", "/v1/alerts", "/v1/alerts"])
        #expect(
            String(decoding: seen[0].body, as: UTF8.self)
                == "{\"machine_id\":\"m\",\"password\":\"p\",\"scenarios\":[\"a/b\"]}")
        #expect(seen[1].headers["authorization"] == "Bearer tok")
    }

    /// What an answer's header says of refused alerts; what cannot be read says nothing.
    @Test(arguments: [
        (#"[{"index":3,"reason":"no"},{"index":7}]"#, [(3, "no"), (7, "no reason given")]),
        (#"[{"index":-1},{"reason":"x"},{"index":"2"},5]"#, []), ("[", []), ("", []), ("{}", []),
    ])
    func readsWhatIsRefused(_ header: String, _ refused: [(Int, String)]) throws {
        let response = HTTPResponse(
            status: 201, headers: [("x-crowd-refused", header)], body: Array(#"["1"]"#.utf8))
        let receipt = try AlertReceipt(response)
        #expect(receipt.ids == ["1"])
        #expect(receipt.refused == refused.map { AlertReceipt.Refused(index: $0.0, reason: $0.1) })
    }

    @Test func aDeadTokenIsReplaced() async throws {
        let server = try ScriptedServer { request in
            if request.path == "/v1/watchers/login" { return .init(200, loginAnswer) }
            return request.headers["x-seen"] == nil && request.connection > 0 && request.body.count == 2
                ? .init(401, "{\"code\":401,\"message\":\"token is expired\"}") : .init(201, "[]")
        }
        let error = await #expect(throws: LAPIError.self) { try await client(server).postAlerts(Array("[]".utf8)) }
        #expect(error == .credentials(status: 401, message: "token is expired"))
        #expect(server.requests.map(\.path).filter { $0.hasSuffix("login") }.count == 3)
        #expect(server.requests.filter { $0.path == "/v1/alerts" }.count == 3)
    }

    @Test func wrongCredentialsAreToldApartFromAbsence() async throws {
        let server = try ScriptedServer { _ in
            .init(401, "{\"code\":401,\"message\":\"incorrect Username or Password\"}")
        }
        await #expect(throws: LAPIError.credentials(status: 401, message: "incorrect Username or Password")) {
            try await client(server).authenticate()
        }
        server.stop()
        let error = await #expect(throws: LAPIError.self) { try await client(server).authenticate() }
        guard case .unreachable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: [true, false])
    func longBodiesAreGzippedUnlessTheServerCannot(_ inflates: Bool) async throws {
        let server = try ScriptedServer { request in
            if request.path == "/v1/watchers/login" { return .init(200, loginAnswer) }
            let gzipped = request.headers["content-encoding"] == "gzip"
            return gzipped && !inflates ? .init(400, "{\"message\":\"invalid character\"}") : .init(201, "[]")
        }
        let machine = client(server)
        let body = Array("[\"\(String(repeating: "a", count: 10_000))\"]".utf8)
        _ = try await machine.postAlerts(body)
        _ = try await machine.postAlerts(body)
        let posts = server.requests.filter { $0.path == "/v1/alerts" }.map { $0.headers["content-encoding"] }
        #expect(posts == (inflates ? ["gzip", "gzip"] : ["gzip", nil, nil]))
    }

    @Test func aBadBodyIsTriedOncePlainAndThenRefused() async throws {
        let server = try ScriptedServer { request in
            request.path == "/v1/watchers/login" ? .init(200, loginAnswer) : .init(400, "{\"message\":\"EOF\"}")
        }
        await #expect(throws: LAPIError.refused(status: 400, message: "EOF")) {
            try await client(server).postAlerts([UInt8](repeating: 32, count: 6000))
        }
        #expect(server.requests.filter { $0.path == "/v1/alerts" }.count == 2)
    }

    @Test(arguments: [
        (
            [401, 401, 401],
            [RetryPolicy.Step.retry(after: .zero, freshToken: true), .retry(after: .zero, freshToken: true), .giveUp]
        ),
        (
            [503, 429, 504],
            [
                .retry(after: .seconds(7), freshToken: false), .retry(after: .seconds(9), freshToken: false),
                .retry(after: .seconds(11), freshToken: false),
            ]
        ), ([500], [.giveUp]), ([400], [.giveUp]),
    ])
    func retriesFollowTheReference(_ statuses: [Int], _ steps: [RetryPolicy.Step]) {
        var policy = RetryPolicy()
        #expect(statuses.map { policy.step(afterStatus: $0) } == steps)
    }
}
