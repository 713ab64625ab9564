import CrowdCore
import CrowdStore
import CrowdTestSupport
import HTTPTypes
import HummingbirdTesting
import Synchronization
import Testing

@testable import CrowdServer

/// Alerts that are stored over several transactions, so that nobody's alert waits for all of another's.
@Suite("Long alerts") struct LongAlertTests {
    private static let uuid = "7f2c9f0e-5b1f-4a4e-9a53-0d1f6f8f5c11"

    /// An alert of 21,000 events, 300 items of context and as many decisions as asked for.
    private static func body(decisions: Int, last: String = "last") -> String {
        let event = #"{"timestamp":"2026-11-21T08:17:29Z","meta":[{"key":"k","value":"v"}]}"#
        let events = Array(repeating: event, count: 21_000).joined(separator: ",")
        let meta = (0..<300).map { #"{"key":"n","value":"\#($0)"}"# }.joined(separator: ",")
        let list = (0..<decisions).map { index in
            let value = index == decisions - 1 ? last : "v\(index)"
            return #"{"duration":"4h","origin":"cscli","scenario":"s","scope":"user","type":"ban","value":"\#(value)"}"#
        }
        let alert = String(ServerFixture.attack("192.0.2.1", uuid: uuid).dropFirst().dropLast())
        return "["
            + alert.replacing(#""decisions":null"#, with: #""decisions":[\#(list.joined(separator: ","))]"#)
            .replacing(
                #""events":[{"meta":[{"key":"source_ip","value":"192.0.2.1"}],"#,
                with: #""events":[\#(events),{"meta":[],"#
            )
            .dropLast() + #","meta":[\#(meta)]}]"#
    }

    @Test(arguments: TestDatabase.present) func areStoredWholeAndOnce(_ database: TestDatabase) async throws {
        let directory = try TemporaryDirectory()
        let fixture = try await ServerFixture(database: try database.config(in: directory))
        try await fixture.test(.live) { client in
            let token = try await client.logIn()
            let body = Self.body(decisions: 6_000)
            let answer = try await client.asMachine(token, .post, "/v1/alerts", body: body)
            #expect(answer.status == 201 && answer.json.array?.count == 1, "\(answer.text.prefix(200))")
            let list = try await client.asMachine(token, .get, "/v1/alerts").json.array ?? []
            #expect(list.count == 1 && list.first?["uuid"]?.string == Self.uuid)
            let decisions = list.first?["decisions"]?.array?.compactMap { $0["value"]?.string } ?? []
            #expect(decisions == (0..<5_999).map { "v\($0)" } + ["last"])
            #expect(list.first?["events"]?.array?.count == 21_001)
            #expect(list.first?["meta"]?.array?.compactMap { $0["value"]?.string } == (0..<300).map { "\($0)" })
            let stream = try await client.asBouncer(.get, "/v1/decisions/stream?startup=true&scopes=user").json
            #expect(stream["new"]?.array?.count == 6_000)

            let again = try await client.asMachine(token, .post, "/v1/alerts", body: body)
            #expect(again.status == 201 && again.text == answer.text)
            let ended = try await client.asMachine(token, .delete, "/v1/decisions?scopes=user")
            #expect(ended.text == #"{"nbDeleted":"6000"}"#)
            let delta = try await client.asBouncer(.get, "/v1/decisions/stream?scopes=user").json
            #expect(delta["deleted"]?.array?.count == 6_000)
            let deleted = try await client.asMachine(token, .delete, "/v1/alerts")
            #expect(deleted.text == #"{"nbDeleted":"1"}"#)
            try await Self.expectNothing(in: fixture.store)
        }
    }

    /// Of an alert that fails half way, by itself or because the database is in trouble, nothing is left.
    @Test(arguments: ["poison", "trouble"]) func thatFailLeaveNothing(_ what: String) async throws {
        let (fixture, store) = try await BrokenStore.fixture()
        try await store.write { session throws(StoreError) in
            _ = try session.run(
                "CREATE TRIGGER no_poison BEFORE INSERT ON decisions WHEN NEW.value = 'poison' "
                    + "BEGIN SELECT RAISE(ABORT, 'poison'); END", [])
        }
        try await fixture.test(.live) { client in
            let token = try await client.logIn()
            let short = String(ServerFixture.attack("192.0.2.2").dropFirst().dropLast())
            let long = Self.body(decisions: 6_000, last: what)
            if what == "trouble" { store.nextFailure.withLock { $0 = (4, StoreError(.diskFull, "")) } }
            let answer = try await client.asMachine(token, .post, "/v1/alerts", body: "[\(short),\(long.dropFirst())")
            let kept = what == "poison" ? 1 : 0
            #expect(answer.status == (what == "poison" ? 201 : 500), "\(answer.text.prefix(200))")
            #expect(answer.json.array?.count ?? 0 == kept)
            let list = try await client.asMachine(token, .get, "/v1/alerts").json.array ?? []
            #expect(list.count == kept)
            let stream = try await client.asBouncer(.get, "/v1/decisions/stream?startup=true&scopes=user").json
            #expect(stream["new"]?.array?.count == 0)
            _ = try await client.asMachine(token, .delete, "/v1/alerts")
            try await Self.expectNothing(in: store)
        }
    }

    /// What a killed server left of one is nobody's, and goes when it can no longer be under way: an hour later, or when the
    /// next server has started, if there is but one on the database.
    @Test(arguments: TestDatabase.present) func leftUnfinishedAreDeleted(_ database: TestDatabase) async throws {
        let directory = try TemporaryDirectory()
        let config = try database.config(in: directory)
        let fixture = try await ServerFixture(database: config)
        let now = Timestamp.now()
        let new = NewAlert(Alert(), machineRow: nil, startedAt: now, stoppedAt: now, decisions: [])
        _ = try await fixture.store.write { session throws(StoreError) in
            try AlertInsertion.insert([new.beginning, new], at: now, in: session).count
        }
        let count: @Sendable () async throws -> Int = {
            try await fixture.store.read { session throws(StoreError) in
                try AlertSearch.count(AlertFilter(), now: now, in: session)
            }
        }
        try await fixture.api.deleteUnfinished(at: now + .seconds(3_500))
        #expect(try await count() == 2)
        let next = try await ServerFixture(database: config)
        try await next.api.deleteUnfinished(at: now + .seconds(10))
        #expect(try await count() == (database == .sqlite ? 1 : 2))
        try await next.api.deleteUnfinished(at: now + .seconds(3_700))
        #expect(try await count() == 1)
        await next.remove()
        await fixture.remove()
    }

    private static func expectNothing(in store: any Store) async throws {
        for table in ["alerts", "events", "meta", "decisions"] {
            let rows = try await store.read { session throws(StoreError) in
                try session.first("SELECT count(*) FROM \(table)") { $0.int(0) }
            }
            #expect(rows == 0, "\(table)")
        }
    }
}
