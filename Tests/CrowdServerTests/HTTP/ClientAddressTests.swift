import CrowdCore
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import CrowdServer

/// Whom a request comes from (protocol facts A.1).
@Suite("Addresses of clients") struct ClientAddressTests {
    struct Forwarded: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var peer = "127.0.0.1"
        /// nil: `use_forwarded_for_headers` is off.
        var proxies: [String]? = ["0.0.0.0/0"]
        var fields: [String] = []
        var realIP: String?
        var client: String
    }

    static let forwarded = [
        Forwarded(testDescription: "no fields", client: "127.0.0.1"),
        Forwarded(testDescription: "headers are not used", proxies: nil, fields: ["9.9.9.9"], client: "127.0.0.1"),
        Forwarded(
            testDescription: "of a peer that is no proxy", peer: "192.0.2.9", proxies: ["127.0.0.1"],
            fields: ["9.9.9.9"],
            realIP: "9.9.9.9", client: "192.0.2.9"),
        Forwarded(testDescription: "of a peer of another family", peer: "::1", fields: ["9.9.9.9"], client: "::1"),
        Forwarded(testDescription: "all are proxies", fields: ["9.9.9.9, 8.8.8.8"], client: "9.9.9.9"),
        Forwarded(
            testDescription: "the last that is none", proxies: ["127.0.0.0/8", "8.8.8.8"],
            fields: ["1.1.1.1, 9.9.9.9, 8.8.8.8"], client: "9.9.9.9"),
        Forwarded(testDescription: "in two fields", fields: ["9.9.9.9", "2001:db8::1"], client: "2001:db8::1"),
        Forwarded(testDescription: "mapped", fields: ["::ffff:9.9.9.9"], client: "9.9.9.9"),
        Forwarded(testDescription: "no address", fields: ["x"], client: "127.0.0.1"),
        Forwarded(testDescription: "no address among others", fields: ["9.9.9.9, x, 8.8.8.8"], client: "127.0.0.1"),
        Forwarded(testDescription: "a comma too many", fields: ["9.9.9.9,"], client: "127.0.0.1"),
        Forwarded(testDescription: "with a port", fields: ["9.9.9.9:80"], client: "127.0.0.1"),
        Forwarded(testDescription: "only the real one", realIP: " 7.7.7.7 ", client: "7.7.7.7"),
        Forwarded(testDescription: "the real one instead", fields: ["x"], realIP: "7.7.7.7", client: "7.7.7.7"),
        Forwarded(testDescription: "neither", fields: ["x"], realIP: "y", client: "127.0.0.1"),
    ]

    @Test(arguments: forwarded) func isFoundBehindProxies(_ request: Forwarded) async throws {
        let settings = Mutex<ServerSettings?>(nil)
        let fixture = try await ServerFixture { config in
            config.usesForwardedForHeaders = request.proxies != nil
            config.trustedProxies = (request.proxies ?? []).compactMap { IPRange($0) }
            let made = ServerSettings(config)
            settings.withLock { $0 = made }
        }
        await fixture.remove()
        let client = try #require(settings.withLock { $0 }).client(
            peer: try #require(IPAddress(request.peer)), forwardedFor: request.fields, realIP: request.realIP)
        #expect(client == IPAddress(request.client))
    }

    /// Who sends a request and resets the connection before it is accepted has no address any more, and must not count as
    /// local for that.
    @Test func whoHungUpBeforehandIsNobody() async throws {
        let fixture = try await ServerFixture()
        let application = Application(responder: LAPIResponder(api: fixture.api))
        try await application.test(.router) { client in
            for path in ["/health", "/v1/watchers"] {
                try await client.execute(uri: path, method: path == "/health" ? .get : .post) { response in
                    #expect(response.status == .badRequest)
                }
            }
        }
        await fixture.remove()
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("::1", true), ("127.0.0.2", false), ("192.0.2.7", true), ("192.0.3.7", false),
        ("2001:db8::1", true), ("2001:db9::1", false),
    ])
    func isTrusted(_ client: String, _ isTrusted: Bool) async throws {
        let fixture = try await ServerFixture { config in
            config.trustedIPs = ["192.0.2.0/24", "2001:db8::/32"].compactMap { IPRange($0) }
        }
        await fixture.remove()
        #expect(fixture.api.settings.trusts(try #require(IPAddress(client))) == isTrusted)
    }
}
