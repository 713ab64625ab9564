import CrowdCore
import CrowdStore
import CrowdTestSupport
import HTTPTypes
import HummingbirdTesting
import Logging
import NIOEmbedded
import Synchronization
import Testing

@testable import CrowdServer

@Suite("Health") struct HealthTests {
    private static let flush = DatabaseConfig.Flush()
    private static let up = #"{"status":"up"}"#

    private static func down(_ part: String, _ problem: String) -> String {
        #"{"status":"degraded","problems":[{"part":"\#(part)","problem":"\#(problem)"}]}"#
    }

    @Test(arguments: [
        (StoreError(.diskFull, "secret words"), "disk is full"), (StoreError(.busy, "x"), "database is locked"),
        (StoreError(.unavailable, "10.1.2.3 refuses"), "database cannot be reached"),
    ])
    func saysWhatIsWrongWithTheDatabaseAndWhenItIsOver(_ error: StoreError, _ problem: String) async throws {
        let (fixture, store) = try await BrokenStore.fixture()
        let housekeeper = Housekeeper(api: fixture.api, flush: { Self.flush })
        try await fixture.test(.live) { client in
            let token = try await client.logIn()
            store.failure.withLock { $0 = error }
            let refused = try await client.asMachine(
                token, .post, "/v1/alerts", body: ServerFixture.attack("192.0.2.1"))
            #expect(refused.status == 500)
            let health = try await client.send(.get, "/health")
            #expect(health.status == 200 && health.text == Self.down("database", problem))
            await housekeeper.writeContacts()
            #expect(try await client.send(.get, "/health").text == Self.down("database", problem))
            #expect(try await client.asBouncer(.get, "/v1/decisions").status == 200)

            store.failure.withLock { $0 = nil }
            await housekeeper.writeContacts()
            #expect(try await client.send(.get, "/health").text == Self.up)
            // The log-in that could not be noted before is noted now.
            let row = try await store.read { session throws(StoreError) in
                try MachineQueries.find("agent", in: session)
            }
            #expect(row?.scenarios == "a,b")
        }
    }

    /// One server's alert is not the database's trouble.
    @Test(arguments: [StoreError(.constraint, "x"), StoreError(.unfit, "x"), StoreError(.closed, "x")])
    func whatIsNoTroubleIsNotTold(_ error: StoreError) {
        let health = Health(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        health.met(error)
        #expect(health.present.isEmpty)
    }

    @Test func refusedConnectionsAreToldForAWhile() async throws {
        let fixture = try await ServerFixture()
        let limit = ConnectionLimit(most: 1)
        let housekeeper = Housekeeper(api: fixture.api, flush: { Self.flush }, connections: limit)
        let (first, second) = (EmbeddedChannel(), EmbeddedChannel())
        #expect(limit.admits(first))
        housekeeper.checkConnections()
        #expect(fixture.api.health.present.isEmpty)
        #expect(!limit.admits(second))
        housekeeper.checkConnections()
        #expect(fixture.api.health.present.map(\.problem) == ["connections beyond 1 are closed unread"])
        await fixture.remove()
    }

    @Test func aFailedReloadIsToldUntilOneSucceeds() async throws {
        let config = Mutex<LAPIServerConfig?>(nil)
        let fixture = try await ServerFixture { adjusted in
            let copy = adjusted
            config.withLock { $0 = copy }
        }
        fixture.api.reloadFailed()
        #expect(fixture.api.health.present.map(\.part) == [.configuration])
        try fixture.api.reload(try #require(config.withLock { $0 }))
        #expect(fixture.api.health.present.isEmpty)
        await fixture.remove()
    }
}
