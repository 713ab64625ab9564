import CrowdCore
import Synchronization
import Testing

@testable import CrowdServer

@Suite("What is listened on") struct ListenAddressTests {
    /// `*`: all addresses, of both families where there are both.
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080), ("localhost:0", "localhost", 0), ("[::1]:65535", "::1", 65535),
        (":8080", "*", 8080), ("0.0.0.0:8080", "*", 8080), ("[::]:8080", "*", 8080),
    ])
    func isHostAndPort(_ uri: String, _ host: String, _ port: Int) throws {
        let address = try LocalAPIService.split(uri)
        #expect(address.host == host || (host == "*" && ["::", "0.0.0.0"].contains(address.host)))
        #expect(address.port == port)
        if host == "*" { #expect(try address.host == LocalAPIService.split(":1").host) }
    }

    /// Found out before anything is begun: `-t` and a start say the same.
    @Test(arguments: [
        ("x", "address x: missing port in address"), ("", "address : missing port in address"),
        (":", "address : invalid port"), ("127.0.0.1", "address 127.0.0.1: missing port in address"),
        ("127.0.0.1:", "address : invalid port"), ("127.0.0.1:x", "address x: invalid port"),
        ("127.0.0.1:-80", "address -80: invalid port"), ("127.0.0.1:65536", "address 65536: invalid port"),
    ])
    func isRefusedOtherwise(_ uri: String, _ reason: String) async throws {
        await #expect(throws: ConfigError("listening on \(uri): listen tcp: \(reason)")) {
            try await Self.service { $0.listenURI = uri }
        }
    }

    @Test(arguments: [(107, true), (108, false)])
    func hasAPathThatASocketTakes(_ length: Int, _ isTaken: Bool) async throws {
        let path = "/" + String(repeating: "x", count: length - 1)
        let service = try? await Self.service { $0.listenSocket = path }
        #expect((service != nil) == isTaken)
    }

    @discardableResult
    private static func service(_ adjust: (inout LAPIServerConfig) -> Void) async throws -> LocalAPIService {
        let config = Mutex<LAPIServerConfig?>(nil)
        let fixture = try await ServerFixture { adjusted in
            adjust(&adjusted)
            let copy = adjusted
            config.withLock { $0 = copy }
        }
        await fixture.remove()
        return try LocalAPIService(
            fixture.api, config: try #require(config.withLock { $0 }), flush: DatabaseConfig.Flush())
    }
}
