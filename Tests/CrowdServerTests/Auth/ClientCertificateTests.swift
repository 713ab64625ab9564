import CrowdCore
import CrowdHTTP
import CrowdStore
import CrowdTestSupport
import Glibc
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import CrowdServer

/// Clients that show certificates of a real authority, over real TLS.
@Suite("Client certificates") struct ClientCertificateTests {
    private let authority: TestAuthority

    init() throws { authority = try TestAuthority() }

    private func config(_ keys: String = "") throws -> LAPITLSConfig {
        let yaml = """
            config_paths: {data_dir: \(authority.path), config_dir: \(authority.path)}
            api:
              server:
                listen_uri: 127.0.0.1:0
                profiles_path: \(authority.path)/profiles.yaml
                tls:
                  cert_file: \(authority.path)/server.crt
                  key_file: \(authority.path)/server.key
                  ca_cert_path: \(authority.certificate)
                  agents_allowed_ou: [agents]
                  bouncers_allowed_ou: [bouncers]
                  \(keys)

            """
        let path = try authority.directory.write("config.yaml", yaml)
        return try #require(try SuiteConfig.load(path: path).server?.tls)
    }

    /// Runs `body` with the port of a server that has this configuration.
    private func serve(
        _ config: LAPITLSConfig, _ body: @escaping @Sendable (Int, ServerTLS, ServerFixture) async throws -> Void
    ) async throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let tls = try ServerTLS(config, logger: quiet)
        let fixture = try await ServerFixture { $0.tls = config }
        let application = Application(
            responder: LAPIResponder(api: fixture.api, tls: tls),
            server: LocalAPIService.builder(tls, ConnectionLimit(most: 1000)),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)))
        try await application.test(.live) { client in
            try await body(try #require(client.port), tls, fixture)
        }
        await fixture.remove()
    }

    private struct Client: Sendable {
        let http: HTTPClient

        func expect(
            _ status: Int, _ request: CrowdHTTP.HTTPRequest, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let answer = try await http.send(request)
            #expect(answer.status == status, sourceLocation: sourceLocation)
        }
    }

    private func client(_ name: String?, port: Int) -> Client {
        var endpoint = HTTPEndpoint(baseURL: "https://127.0.0.1:\(port)/", userAgent: "crowdsec/v1")
        endpoint.caPath = authority.certificate
        endpoint.certPath = name.map { "\(authority.path)/\($0).crt" }
        endpoint.keyPath = name.map { "\(authority.path)/\($0).key" }
        return Client(http: HTTPClient(endpoint))
    }

    private static let pull = CrowdHTTP.HTTPRequest(.get, "v1/decisions")
    private static let login = CrowdHTTP.HTTPRequest(.post, "v1/watchers/login", body: Array(#"{"scenarios":[]}"#.utf8))

    @Test func namesComeFromThem() async throws {
        for (name, unit) in [("edge", "bouncers"), ("web", "agents")] { try authority.issue(name, unit: unit) }
        try await serve(try config()) { port, _, fixture in
            let (bouncer, agent) = (client("edge", port: port), client("web", port: port))
            try await bouncer.expect(200, Self.pull)
            #expect(fixture.api.clients.bouncer(named: "edge@127.0.0.1")?.authType == "tls")
            try await agent.expect(200, Self.login)
            #expect(fixture.api.clients.machine("web@127.0.0.1")?.authType == "tls")
            // Each is of the other's unit; a key beside the certificate does not count.
            try await agent.expect(403, Self.pull)
            try await bouncer.expect(401, Self.login)
            var withKey = Self.pull
            withKey.headers = [("X-Api-Key", ServerFixture.key)]
            try await agent.expect(403, withKey)
            try await client(nil, port: port).expect(200, withKey)
        }
    }

    /// Of the right unit but nameless, and of several units; a key beside the certificate counts no more with these.
    @Test(arguments: [("/OU=bouncers", 403), ("/OU=others/OU=bouncers/CN=edge", 200), ("/CN=edge", 403)])
    func areJudgedByNameAndUnits(_ subject: String, _ status: Int) async throws {
        try authority.issue("odd", unit: "", subject: subject)
        try await serve(try config()) { port, _, _ in
            var withKey = Self.pull
            withKey.headers = [("X-Api-Key", ServerFixture.key)]
            try await client("odd", port: port).expect(status, withKey)
        }
    }

    /// The list changes while a connection is open: its next request is refused, and other connections stay as they are.
    @Test func revokedOnesAreRefusedAtOnce() async throws {
        for name in ["edge", "other"] { try authority.issue(name, unit: "bouncers") }
        try authority.issue("web", unit: "agents")
        try await serve(try config("crl_path: \(authority.list)")) { port, tls, _ in
            let (edge, other, web) = (
                client("edge", port: port), client("other", port: port), client("web", port: port)
            )
            for bouncer in [edge, other] { try await bouncer.expect(200, Self.pull) }
            try await web.expect(200, Self.login)
            for name in ["edge", "web"] { try authority.revoke(name) }
            let isNewBefore = try tls.renewIfChanged()
            #expect(!isNewBefore, "nothing has changed until the list is issued")
            try authority.renewList()
            let isNew = try tls.renewIfChanged()
            #expect(isNew)
            try await edge.expect(403, Self.pull)
            try await web.expect(401, Self.login)
            try await other.expect(200, Self.pull)
            // A broken list changes nothing.
            try authority.directory.write("crl.pem", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
            #expect(throws: ConfigError.self) { try tls.renewIfChanged() }
            try await edge.expect(403, Self.pull)
            try await other.expect(200, Self.pull)
        }
    }

    @Test func aStartNeedsAUsableList() throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let logger = quiet
        for content in ["", "nonsense\n", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"] {
            try authority.directory.write("bad.pem", content)
            let config = try config("crl_path: \(authority.path)/bad.pem")
            #expect(throws: ConfigError.self) { try ServerTLS(config, logger: logger) }
        }
    }

    /// A list of the same name that another key signed says nothing about ours.
    @Test func foreignListsDoNotCount() async throws {
        let impostor = try TestAuthority()
        try impostor.issue("edge", unit: "bouncers")
        try impostor.issue("edge", unit: "bouncers")
        try authority.issue("edge", unit: "bouncers")
        try impostor.revoke("edge")
        try impostor.renewList()
        try await serve(try config("crl_path: \(impostor.list)")) { port, _, _ in
            try await client("edge", port: port).expect(200, Self.pull)
        }
    }

    @Test func respondersAreAsked() async throws {
        let authority = authority
        let isDown = Atomic<Bool>(false)
        let count = Atomic<Int>(0)
        let responder = try ScriptedServer { request in
            let number = count.add(1, ordering: .relaxed).newValue
            guard !isDown.load(ordering: .relaxed), request.headers["content-type"] == "application/ocsp-request",
                let answer = try? authority.answer(to: request.body, number: number)
            else { return .drop }
            return .init(200, bytes: answer, headers: [("Content-Type", "application/ocsp-response")])
        }
        for name in ["good", "bad", "late"] {
            try authority.issue(name, unit: "bouncers", responder: responder.url)
        }
        try authority.revoke("bad")
        try await serve(try config()) { port, _, _ in
            let good = client("good", port: port)
            try await good.expect(200, Self.pull)
            try await client("bad", port: port).expect(403, Self.pull)
            let asked = count.load(ordering: .relaxed)
            #expect(asked == 2)
            try await good.expect(200, Self.pull)
            #expect(count.load(ordering: .relaxed) == asked, "a verdict holds for a while")
            // Who cannot be asked about is not held off.
            isDown.store(true, ordering: .relaxed)
            try await client("late", port: port).expect(200, Self.pull)
        }
    }

    @Test func verdictsRunOut() async throws {
        let authority = authority
        let count = Atomic<Int>(0)
        let responder = try ScriptedServer { request in
            let number = count.add(1, ordering: .relaxed).newValue
            guard let answer = try? authority.answer(to: request.body, number: number) else { return .drop }
            return .init(200, bytes: answer)
        }
        try authority.issue("edge", unit: "bouncers", responder: responder.url)
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let check = try RevocationCheck(try config("cache_expiration: 1m"), logger: quiet)
        let pem = try Command.run(
            [
                "openssl", "x509", "-in", "\(authority.path)/edge.crt", "-outform", "DER", "-out",
                "\(authority.path)/edge.der",
            ])
        #expect(pem.status == 0, "\(pem.output)")
        let certificate = try #require(SharedMaterial.read("\(authority.path)/edge.der"))
        let now = Timestamp.now()
        #expect(await check.admits(certificate, now: now))
        try authority.revoke("edge")
        #expect(await check.admits(certificate, now: now + .seconds(59)))
        #expect(await !check.admits(certificate, now: now + .seconds(61)))
        #expect(count.load(ordering: .relaxed) == 2)
    }
}
