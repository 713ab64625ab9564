import CrowdCore
import CrowdStore
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import CrowdServer

@Suite("Log-in") struct LogInTests {
    /// `cscli machines add --force` writes into the database and its user goes on at once.
    @Test func aPasswordThatWasJustChangedIsTaken() async throws {
        let fixture = try await ServerFixture()
        try await fixture.test(.router) { client in
            #expect(try await Self.logIn(client, "secret") == 200)
            let hash = PasswordHash.make("changed", cost: 4) ?? ""
            try await fixture.store.write { session throws(StoreError) in
                _ = try MachineQueries.setPassword("agent", hash: hash, at: .now(), in: session)
            }
            #expect(try await Self.logIn(client, "changed") == 200)
            #expect(try await Self.logIn(client, "secret") == 401)
            #expect(try await Self.logIn(client, "wrong") == 401)
        }
    }

    private static func logIn(_ client: ServerFixture.Client, _ password: String) async throws -> Int {
        try await client.send(
            .post, "/v1/watchers/login", [("User-Agent", "crowdsec/v1.7.0-linux")],
            body: #"{"machine_id":"agent","password":"\#(password)"}"#
        ).status
    }
}
