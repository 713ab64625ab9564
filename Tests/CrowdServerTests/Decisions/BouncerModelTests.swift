import CrowdCore
import CrowdStore
import CrowdTestSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import CrowdServer

/// What the decisions are, told apart from the server: every bouncer must hold the active ones of its filter.
private struct DecisionModel {
    struct Key: Hashable { var value: String, type: String, scope: String }

    struct Entry {
        var key: Key
        var origin: String
        var scenario: String
        var until: Timestamp
    }

    var entries: [Int64: Entry] = [:]

    /// What a set pulled between two moments must contain, and what it may contain.
    func bounds(_ filter: (Entry) -> Bool, from begin: Timestamp, to end: Timestamp) -> (must: Set<Key>, may: Set<Key>)
    {
        let passing = entries.values.filter(filter)
        return (
            Set(passing.filter { $0.until > end }.map(\.key)), Set(passing.filter { $0.until > begin }.map(\.key))
        )
    }
}

/// A bouncer that follows the stream, as real ones do.
private struct FollowingBouncer {
    var name: String
    var query: String
    var filter: @Sendable (DecisionModel.Entry) -> Bool
    var held: Set<DecisionModel.Key> = []
    var hasStarted = false

    mutating func pull(_ client: ServerFixture.Client) async throws {
        let uri = "/v1/decisions/stream?\(hasStarted ? "" : "startup=true&")\(query)"
        let answer = try await client.send(.get, uri, [("X-Api-Key", name), ("User-Agent", "model/1")])
        guard answer.status == 200 else { throw SupportError("\(answer.status) \(answer.text)") }
        if !hasStarted { held = [] }
        hasStarted = true
        for item in answer.json["deleted"]?.array ?? [] { held.remove(key(item)) }
        for item in answer.json["new"]?.array ?? [] { held.insert(key(item)) }
    }

    private func key(_ item: JSON) -> DecisionModel.Key {
        .init(
            value: item["value"]?.string ?? "", type: item["type"]?.string ?? "", scope: item["scope"]?.string ?? "")
    }

    static let all = [
        Self(name: "plain", query: "") { $0.key.scope != "username" },
        Self(name: "cscli", query: "origins=cscli") { $0.origin == "cscli" && $0.key.scope != "username" },
        Self(name: "ssh", query: "scenarios_containing=ssh") {
            $0.scenario.contains("ssh") && $0.key.scope != "username"
        },
        Self(name: "other", query: "scenarios_not_containing=ssh&scopes=ip,range,username") {
            !$0.scenario.contains("ssh")
        },
        Self(name: "range", query: "scopes=range") { $0.key.scope == "Range" },
    ]
}

/// Random sequences over the whole server: alerts with decisions that overlap and run out, deletions by id, by value and
/// with their alert, restarts of bouncers; asked of one server, or now of one replica and now of the other.
@Suite("Bouncers hold what is active") struct BouncerModelTests {
    struct Setup: Sendable, CustomTestStringConvertible {
        var database: TestDatabase
        var replicas: Int
        var seed: UInt64
        var testDescription: String { "\(database.rawValue), \(replicas) servers, seed \(seed)" }

        static let all: [Setup] = TestDatabase.present.flatMap { database in
            (1...3).map { Setup(database: database, replicas: database == .sqlite ? 1 : 2, seed: $0) }
        }
    }

    @Test(arguments: Setup.all) func whateverHappens(_ setup: Setup) async throws {
        let directory = try TemporaryDirectory()
        let database = try setup.database.config(in: directory)
        let secret = SecureRandom.bytes(64)
        var servers: [ServerFixture] = []
        for _ in 0..<setup.replicas { servers.append(try await ServerFixture(database: database, secret: secret)) }
        try await servers[0].store.write { session throws(StoreError) in
            for bouncer in FollowingBouncer.all {
                _ = try BouncerQueries.insert(
                    BouncerRecord(name: bouncer.name, keyHash: BouncerRecord.hash(ofKey: bouncer.name)), at: .now(),
                    in: session)
            }
        }
        for server in servers { try await server.api.reloadClients() }
        try await Self.ask(servers[...], []) { clients in
            var run = Run(setup: setup, clients: clients)
            run.token = try await clients[0].logIn()
            for step in 1...150 { try await run.take(step) }
        }
        for server in servers { await server.remove() }
    }

    /// Clients of all servers at once.
    private static func ask(
        _ servers: ArraySlice<ServerFixture>, _ clients: [ServerFixture.Client],
        _ body: @escaping @Sendable ([ServerFixture.Client]) async throws -> Void
    ) async throws {
        guard let first = servers.first else { return try await body(clients) }
        let rest = servers.dropFirst()
        try await Application(responder: LAPIResponder(api: first.api, isLocalSocket: true)).test(.router) { client in
            try await ask(rest, clients + [ServerFixture.Client(http: client)], body)
        }
    }

    /// One sequence on its way.
    private struct Run {
        let setup: Setup
        let clients: [ServerFixture.Client]
        var token = ""
        var random: SeededRandom
        var model = DecisionModel()
        var alerts: [String: [Int64]] = [:]
        var bouncers = FollowingBouncer.all

        init(setup: Setup, clients: [ServerFixture.Client]) {
            self.setup = setup
            self.clients = clients
            random = SeededRandom(setup.seed)
        }

        private mutating func client() -> ServerFixture.Client {
            clients[Int.random(in: 0..<clients.count, using: &random)]
        }

        mutating func take(_ step: Int) async throws {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<6: try await add()
            case 6, 7: try await deleteOne()
            case 8: try await deleteValue()
            case 9: try await deleteAlert()
            default: try await pull(step)
            }
        }

        private static let values = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.0/24", "2001:db8::1", "alice"]

        private mutating func add() async throws {
            let client = client()
            let begin = Timestamp.now()
            var decisions: [String] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let value = Self.values.randomElement(using: &random) ?? ""
                let scope = value == "alice" ? "username" : value.contains("/") ? "Range" : "Ip"
                let seconds = ["1s", "1500ms", "300ms", "2s", "1h", "2h"].randomElement(using: &random) ?? ""
                decisions.append(
                    """
                    {"duration":"\(seconds)","origin":"\(["cscli", "lists"].randomElement(using: &random) ?? "")",\
                    "scenario":"\(["acme/ssh-bf", "acme/probe"].randomElement(using: &random) ?? "")",\
                    "scope":"\(scope)","type":"\(["ban", "ban", "captcha"].randomElement(using: &random) ?? "")",\
                    "value":"\(value)"}
                    """)
            }
            let list = "[\(decisions.joined(separator: ","))]"
            let body = """
                [{"capacity":0,"decisions":\(list),"events":[],"events_count":1,\
                "labels":null,"leakspeed":"0","message":"m","scenario":"m","scenario_hash":"","scenario_version":"",\
                "simulated":false,"source":{"scope":"Ip","value":"192.0.2.1"},\
                "start_at":"\(begin.rfc3339Nano)","stop_at":"\(begin.rfc3339Nano)"}]
                """
            let answer = try await client.asMachine(token, .post, "/v1/alerts", body: body)
            let id = try #require(answer.json.array?.first?.string, "\(answer.status) \(answer.text)")
            try await learn(id, stoppedAt: begin, wanted: try JSON.parse(Array(list.utf8)))
        }

        /// The ids that the decisions of a new alert were given; they come in the order in which they were sent.
        private mutating func learn(_ alert: String, stoppedAt: Timestamp, wanted: JSON) async throws {
            let answer = try await client().asMachine(token, .get, "/v1/alerts/\(alert)")
            let stored = try #require(answer.json["decisions"]?.array, "\(answer.status) \(answer.text)")
            for (item, asked) in zip(stored, wanted.array ?? []) {
                let id = item["id"]?.int ?? 0
                let duration = try #require(GoDuration(asked["duration"]?.string ?? ""))
                model.entries[id] = .init(
                    key: .init(
                        value: item["value"]?.string ?? "", type: item["type"]?.string ?? "",
                        scope: item["scope"]?.string ?? ""), origin: item["origin"]?.string ?? "",
                    scenario: item["scenario"]?.string ?? "", until: stoppedAt + duration)
                alerts[alert, default: []].append(id)
            }
        }

        private mutating func deleteOne() async throws {
            guard let id = model.entries.keys.sorted().randomElement(using: &random) else { return }
            let answer = try await client().asMachine(token, .delete, "/v1/decisions/\(id)")
            #expect(answer.status == 200, "\(answer.text)")
            end([id])
        }

        private mutating func deleteValue() async throws {
            let value = Self.values.randomElement(using: &random) ?? ""
            let answer = try await client().asMachine(
                token, .delete, "/v1/decisions?value=\(value.replacing("/", with: "%2F"))")
            #expect(answer.status == 200, "\(answer.text)")
            end(model.entries.filter { $0.value.key.value == value }.map(\.key))
        }

        private mutating func deleteAlert() async throws {
            guard let alert = alerts.keys.sorted().randomElement(using: &random) else { return }
            let answer = try await client().asMachine(token, .delete, "/v1/alerts/\(alert)")
            #expect(answer.status == 200, "\(answer.text)")
            for id in alerts.removeValue(forKey: alert) ?? [] { model.entries[id] = nil }
        }

        private mutating func end(_ ids: [Int64]) {
            let now = Timestamp.now()
            for id in ids { if let entry = model.entries[id], entry.until > now { model.entries[id]?.until = now } }
        }

        private mutating func pull(_ step: Int) async throws {
            let index = Int.random(in: 0..<bouncers.count, using: &random)
            if Int.random(in: 0..<10, using: &random) == 0 { bouncers[index].hasStarted = false }
            let begin = Timestamp.now()
            try await bouncers[index].pull(client())
            let bouncer = bouncers[index]
            // What ran out while the answer was under way may or may not be in it.
            let (must, may) = model.bounds(bouncer.filter, from: begin, to: .now())
            let missing = must.subtracting(bouncer.held)
            let surplus = bouncer.held.subtracting(may)
            #expect(missing.isEmpty, "seed \(setup.seed), step \(step): \(bouncer.name) misses \(missing)")
            #expect(surplus.isEmpty, "seed \(setup.seed), step \(step): \(bouncer.name) keeps \(surplus)")
        }
    }
}
