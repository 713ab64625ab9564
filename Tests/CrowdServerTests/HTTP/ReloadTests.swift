import CrowdCore
import CrowdStore
import HTTPTypes
import HummingbirdTesting
import Synchronization
import Testing

@testable import CrowdServer

@Suite("Reload") struct ReloadTests {
    /// A server and the configuration it runs with.
    private static func fixture() async throws -> (ServerFixture, LAPIServerConfig) {
        let config = Mutex<LAPIServerConfig?>(nil)
        let fixture = try await ServerFixture { adjusted in
            let copy = adjusted
            config.withLock { $0 = copy }
        }
        return (fixture, try #require(config.withLock { $0 }))
    }

    @Test func flushRulesAreTakenOver() async throws {
        let (fixture, config) = try await Self.fixture()
        let service = try LocalAPIService(fixture.api, config: config, flush: DatabaseConfig.Flush())
        let housekeeper = service.housekeeper()
        try await fixture.test(.router) { client in
            let token = try await client.logIn()
            for number in 1...5 {
                let body = ServerFixture.attack("AS\(number)", scope: "AS")
                #expect(try await client.asMachine(token, .post, "/v1/alerts", body: body).status == 201)
            }
            let count = { try await client.asMachine(token, .get, "/v1/alerts").json.array?.count }
            await housekeeper.flushAll()
            #expect(try await count() == 5)

            var flush = DatabaseConfig.Flush()
            flush.maxItems = 2
            try service.reload(config, flush: flush, cti: nil)
            await housekeeper.flushAll()
            #expect(try await count() == 3)
        }
    }

    @Test func nothingIsTakenOverWhenAPartCannotBe() async throws {
        let (fixture, config) = try await Self.fixture()
        var changed = config
        changed.trustedIPs = [try #require(IPRange("192.0.2.0/24"))]
        #expect(throws: ConfigError.self) {
            try fixture.api.reload(changed) { () throws(ConfigError) in throw ConfigError("no such certificate") }
        }
        #expect(fixture.api.settings.trustedIPs == config.trustedIPs)
        try fixture.api.reload(changed)
        #expect(fixture.api.settings.trustedIPs == changed.trustedIPs)
        await fixture.remove()
    }
}
