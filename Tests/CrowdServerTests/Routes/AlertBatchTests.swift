import CrowdCore
import CrowdStore
import CrowdTestSupport
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import CrowdServer

/// Requests in which some alerts cannot be stored: the others are, and who sent it is told which are not.
@Suite("Alerts refused one by one") struct AlertBatchTests {
    struct Batch: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var alerts: [String]
        var status = 201
        var stored: Int
        /// By index, with a part of the reason.
        var refused: [Int: String] = [:]
        /// Of the body of an error.
        var message: String?
    }

    /// One alert's JSON with members replaced, or left out by nil.
    private static func alert(_ value: String, _ changes: [String: String?] = [:]) -> String {
        var members: [String: String] = [
            "uuid": "\"\(SecureRandom.uuid())\"", "capacity": "5", "decisions": "null", "events": "[]",
            "events_count": "6", "leakspeed": "\"10s\"", "message": "\"m\"", "remediation": "true",
            "scenario": "\"acme/ssh-bf\"", "scenario_hash": "\"\"", "scenario_version": "\"\"", "simulated": "false",
            "source": #"{"scope":"Ip","value":"\#(value)","ip":"\#(value)"}"#,
            "start_at": "\"\(Timestamp.now().rfc3339)\"", "stop_at": "\"\(Timestamp.now().rfc3339)\"",
        ]
        for (name, text) in changes { members[name] = text }
        return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private static func decided(_ value: String, scope: String = "username", duration: String = "4h") -> String {
        let decision =
            #"[{"origin":"cscli","type":"ban","scope":"\#(scope)","value":"\#(value)","scenario":"x","duration":"\#(duration)"}]"#
        return alert("192.0.2.99", ["decisions": decision])
    }

    /// Long beyond what an index of PostgreSQL takes, and not to be compressed.
    private static let longValue = (0..<400).map { _ in SecureRandom.uuid() }.joined()

    static let batches: [Batch] = [
        Batch(testDescription: "all good", alerts: [alert("192.0.2.1"), alert("192.0.2.2")], stored: 2),
        Batch(
            testDescription: "members missing",
            alerts: [alert("192.0.2.1"), alert("192.0.2.2", ["capacity": nil, "events": nil]), alert("192.0.2.3")],
            stored: 2, refused: [1: "validation failure list: capacity in body is required events in body"]),
        Batch(
            testDescription: "events that are null",
            alerts: [alert("192.0.2.1", ["events": "null"]), alert("192.0.2.2")],
            stored: 1, refused: [0: "events in body is required"]),
        Batch(
            testDescription: "values of the wrong kind",
            alerts: [
                alert("192.0.2.1", ["capacity": "\"5\""]), alert("192.0.2.2"), "7", "null",
                alert("192.0.2.3", ["events_count": "4294967296"]),
                alert("192.0.2.4", ["source": #"{"scope":"Ip","value":"192.0.2.4","latitude":1e60}"#]),
            ], stored: 1, refused: [0: "cannot unmarshal string", 2: "number", 3: "null", 4: "out of range", 5: "1e60"]),
        Batch(
            testDescription: "a decision's duration",
            alerts: [decided("a", duration: "4 hours"), decided("b"), decided("c", duration: "")], stored: 1,
            refused: [0: "'4 hours' is not a duration", 2: "'' is not a duration"]),
        Batch(
            testDescription: "a decision that lacks its type",
            alerts: [alert("192.0.2.1", ["decisions": #"[{"origin":"x"}]"#]), decided("b")], stored: 1,
            refused: [0: "decisions.0.type in body is required"]),
        Batch(
            testDescription: "a profile that fails over it",
            alerts: [alert("192.0.2.1", ["scenario": "\"acme/number\"", "message": "\"x\""]), alert("192.0.2.2")],
            stored: 1, refused: [0: "number"]),
        Batch(
            testDescription: "a value that the database refuses",
            alerts: [decided("a"), decided("poison"), decided("c")],
            stored: 2, refused: [1: "the database does not take the alert (constraint failed)"]),
        Batch(
            testDescription: "several reasons at once",
            alerts: [
                alert("192.0.2.1", ["message": nil]), decided("poison"), decided("x", duration: "z"), decided("d"),
            ],
            stored: 1, refused: [0: "message in body", 1: "constraint", 2: "'z'"]),
        Batch(
            testDescription: "dropped ones are no failures",
            alerts: [decided("no address", scope: "Ip"), alert("192.0.2.2", ["stop_at": nil])], stored: 0,
            refused: [1: "stop_at in body"]),
        Batch(
            testDescription: "alone, refused by the database", alerts: [decided("poison")], status: 500, stored: 0,
            message: "validation failure: the database does not take the alert (constraint failed)"),
        Batch(
            testDescription: "alone, a duration", alerts: [decided("x", duration: "1 day")], status: 500, stored: 0,
            message: "validation failure: decision duration '1 day' is not a duration"),
        Batch(
            testDescription: "all lack something",
            alerts: [alert("192.0.2.1", ["capacity": nil]), alert("192.0.2.2", ["leakspeed": nil])], status: 500,
            stored: 0,
            message: "validation failure list:\n0.capacity in body is required\n1.leakspeed in body is required"),
        Batch(
            testDescription: "all of the wrong kind", alerts: ["1", "\"a\""], status: 400, stored: 0,
            message: "json: cannot unmarshal number into object at offset 1"),
        Batch(
            testDescription: "no JSON behind good alerts", alerts: [alert("192.0.2.1"), "{"], status: 400, stored: 0),
    ]

    static let onPostgreSQL = [
        Batch(
            testDescription: "too long for an index", alerts: [decided("a"), decided(longValue)], stored: 1,
            refused: [1: "the database does not take the alert (value does not fit)"]),
        Batch(
            testDescription: "alone, too long for an index", alerts: [decided(longValue)], status: 500, stored: 0,
            message: "validation failure: the database does not take the alert (value does not fit)"),
    ]

    private static let profiles = """
        name: numbers
        filters:
         - Alert.Scenario == "acme/number" && int(Alert.Message) > 0
        decisions:
         - type: ban
           duration: 4h
        ---
        \(ServerFixture.defaultProfiles)
        """

    /// A constraint that is not ours: another program may have made one.
    private static func poison(_ database: TestDatabase) -> String {
        database == .postgresql
            ? "ALTER TABLE decisions ADD CONSTRAINT no_poison CHECK (value <> 'poison')"
            : "CREATE TRIGGER no_poison BEFORE INSERT ON decisions WHEN NEW.value = 'poison' "
                + "BEGIN SELECT RAISE(ABORT, 'poison'); END"
    }

    private static func fixture(_ database: TestDatabase) async throws -> ServerFixture {
        let directory = try TemporaryDirectory()
        let fixture = try await ServerFixture(
            profiles: profiles, database: database == .sqlite ? nil : try database.config(in: directory))
        try await fixture.store.write { session throws(StoreError) in
            _ = try session.run(poison(database), [])
        }
        return fixture
    }

    @Test(arguments: TestDatabase.present) func theGoodAreStoredAndTheBadAreNamed(_ database: TestDatabase) async throws
    {
        let batches = Self.batches + (database == .postgresql ? Self.onPostgreSQL : [])
        try await Self.fixture(database).test(.live) { client in
            let token = try await client.logIn()
            var known = 0
            for batch in batches {
                let body = "[" + batch.alerts.joined(separator: ",") + "]"
                let answer = try await client.asMachine(token, .post, "/v1/alerts", body: body)
                #expect(answer.status == batch.status, "\(batch.testDescription): \(answer.text.prefix(300))")
                if let message = batch.message { #expect(answer.json["message"]?.string == message) }
                let ids = answer.json.array?.compactMap(\.string) ?? []
                #expect(ids.count == batch.stored, "\(batch.testDescription)")
                try Self.check(answer, names: batch.refused, of: batch)
                known += batch.stored
                let list = try await client.asMachine(token, .get, "/v1/alerts?limit=0").json.array ?? []
                #expect(list.count == known, "\(batch.testDescription)")
                // Sent again after a lost answer, it says the same.
                let again = try await client.asMachine(token, .post, "/v1/alerts", body: body)
                #expect(again.text == answer.text && again.status == answer.status, "\(batch.testDescription)")
            }
            let stream = try await client.asBouncer(.get, "/v1/decisions/stream?startup=true&scopes=username").json
            let values = stream["new"]?.array?.compactMap { $0["value"]?.string } ?? []
            #expect(!values.isEmpty && Set(values).isSubset(of: ["a", "b", "c", "d"]))
        }
    }

    private static func check(_ answer: ServerFixture.Client.Answer, names expected: [Int: String], of batch: Batch)
        throws
    {
        let header = HTTPField.Name("X-Crowd-Refused").flatMap { answer.headers[$0] }
        guard !expected.isEmpty else {
            #expect(header == nil, "\(batch.testDescription)")
            return
        }
        let named = try JSON.parse(Array((header ?? "").utf8)).array ?? []
        #expect(
            named.compactMap { $0["index"]?.int } == expected.keys.sorted().map { Int64($0) },
            "\(batch.testDescription)")
        for item in named {
            let reason = item["reason"]?.string ?? ""
            let part = expected[Int(item["index"]?.int ?? -1)] ?? "?"
            #expect(reason.contains(part), "\(batch.testDescription): \(reason)")
        }
    }

    /// What a stranger's alerts make us say is bounded, whatever is wrong with them and however many they are.
    @Test func theNamesAreBounded() throws {
        let refused = (0..<10_000).map { index in
            RefusedAlert(index: index, failure: .server("é\u{1B}[31m\n\"" + String(repeating: "x", count: 5000)))
        }
        let header = RefusedAlerts.header(refused)
        #expect(header.utf8.count < 14_000 && header.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
        let named = try JSON.parse(Array(header.utf8)).array ?? []
        #expect(named.count == 256 && named[0]["reason"]?.string?.hasPrefix("??[31m ?xxx") == true)
        #expect(named[255]["index"]?.int == 255 && named[255]["reason"] == nil)
        #expect(RefusedAlerts.logLine(refused, from: "m").utf8.count < 3_000)
    }

    /// A machine that is deleted while it sends loses no alert.
    @Test(arguments: TestDatabase.present) func alertsOfAMachineThatIsGoneAreKept(_ database: TestDatabase) async throws
    {
        let fixture = try await Self.fixture(database)
        try await fixture.test(.live) { client in
            let token = try await client.logIn()
            try await fixture.store.write { session throws(StoreError) in
                _ = try session.run("DELETE FROM machines WHERE machine_id = 'agent'", [])
            }
            for alerts in [[Self.alert("192.0.2.1")], [Self.alert("192.0.2.2"), Self.alert("192.0.2.3")]] {
                let body = "[" + alerts.joined(separator: ",") + "]"
                let answer = try await client.asMachine(token, .post, "/v1/alerts", body: body)
                #expect(answer.status == 201 && answer.json.array?.count == alerts.count, "\(answer.text)")
            }
            let list = try await client.asMachine(token, .get, "/v1/alerts").json.array ?? []
            #expect(list.map { $0["machine_id"]?.string } == ["N/A", "N/A", "N/A"])
        }
    }
}
