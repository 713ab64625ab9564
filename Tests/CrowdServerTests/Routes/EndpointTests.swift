import CrowdCore
import CrowdStore
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import CrowdServer

/// Status, body and side effects of each endpoint, through the router and over a live port (protocol facts A, H).
@Suite("Endpoints", .serialized) struct EndpointTests {
    enum Way: CaseIterable, Sendable { case router, live }

    static func setup(_ way: Way) -> TestingSetup { way == .router ? .router : .live }

    struct Request: Sendable, CustomTestStringConvertible {
        enum Caller: Sendable { case nobody, machine, bouncer }
        var caller: Caller
        var method: HTTPRequest.Method
        var uri: String
        var body: String?
        var status: Int
        /// nil: not looked at.
        var answer: String?
        var testDescription: String { "\(method) \(uri)" }
    }

    /// Asked in this order of one server that holds a single expired-free state: no alerts, one machine, one bouncer.
    static let requests: [Request] = [
        Request(caller: .nobody, method: .get, uri: "/health", status: 200, answer: #"{"status":"up"}"#),
        Request(caller: .nobody, method: .get, uri: "/v1/nothing", status: 404, answer: ""),
        Request(caller: .nobody, method: .get, uri: "//v1/alerts", status: 404, answer: ""),
        Request(caller: .nobody, method: .options, uri: "*", status: 200, answer: ""),
        Request(caller: .nobody, method: .put, uri: "/v1/alerts", status: 405, answer: ""),
        Request(caller: .nobody, method: .head, uri: "/v1/allowlists/x", status: 405),
        Request(caller: .nobody, method: .get, uri: "/v1/alerts/", status: 301, answer: ""),
        Request(caller: .nobody, method: .post, uri: "/v1/alerts/", status: 307, answer: ""),
        Request(caller: .nobody, method: .post, uri: "/v1/decisions/", status: 404, answer: ""),
        Request(caller: .nobody, method: .post, uri: "/v1/watchers", body: "[]", status: 400),
        Request(caller: .nobody, method: .post, uri: "/v1/watchers", body: #"{"machine_id":1}"#, status: 400),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers/login",
            body: #"{"machine_id":"agent","password":"secret","scenarios":"x"}"#, status: 401),
        Request(
            caller: .nobody, method: .get, uri: "/v1/alerts", status: 401,
            answer: #"{"code":401,"message":"cookie token is empty"}"#),
        Request(
            caller: .nobody, method: .get, uri: "/v1/decisions", status: 403, answer: #"{"message":"access forbidden"}"#
        ),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers", body: "", status: 400, answer: #"{"message":"EOF"}"#),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers", body: "{}", status: 422,
            answer:
                #"{"message":"validation failure list:\nmachine_id in body is required\npassword in body is required"}"#
        ),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers", body: #"{"machine_id":"agent","password":"x"}"#,
            status: 403, answer: #"{"message":"user 'agent': user already exist"}"#),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers", body: #"{"machine_id":"new","password":"x"}"#,
            status: 201, answer: ""),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers/login", body: #"{"machine_id":"new","password":"x"}"#,
            status: 401, answer: #"{"code":401,"message":"machine new not validated"}"#),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers/login", body: #"{"machine_id":"no","password":"x"}"#,
            status: 401, answer: #"{"code":401,"message":"ent: machine not found"}"#),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers/login", body: #"{"machine_id":"agent","password":"x"}"#,
            status: 401, answer: #"{"code":401,"message":"incorrect Username or Password"}"#),
        Request(
            caller: .nobody, method: .post, uri: "/v1/watchers/login", body: #"{"machine_id":"agent"}"#, status: 401,
            answer: #"{"code":401,"message":"validation failure list:\npassword in body is required"}"#),
        Request(caller: .machine, method: .get, uri: "/v1/heartbeat", status: 200, answer: ""),
        Request(caller: .machine, method: .get, uri: "/v1/alerts", status: 200, answer: "null"),
        Request(caller: .machine, method: .head, uri: "/v1/alerts", status: 200, answer: ""),
        Request(caller: .machine, method: .get, uri: "/v1/alerts?limit=0&sort=ASC&include_capi=false", status: 200),
        Request(
            caller: .machine, method: .get, uri: "/v1/alerts?x=1", status: 500,
            answer: #"{"message":"filter parameter 'x' is unknown (=1): invalid filter"}"#),
        Request(
            caller: .machine, method: .get, uri: "/v1/alerts?ip=x", status: 500,
            answer: #"{"message":"invalid ip address 'x'"}"#),
        Request(
            caller: .machine, method: .get, uri: "/v1/alerts/9", status: 404,
            answer: #"{"message":"object not found"}"#),
        Request(
            caller: .machine, method: .get, uri: "/v1/alerts/x", status: 400,
            answer: #"{"message":"alert_id must be valid integer"}"#),
        Request(
            caller: .machine, method: .delete, uri: "/v1/alerts/9", status: 500,
            answer: #"{"message":"ent: alert not found"}"#),
        Request(caller: .machine, method: .delete, uri: "/v1/alerts", status: 200, answer: #"{"nbDeleted":"0"}"#),
        Request(caller: .machine, method: .post, uri: "/v1/alerts", body: "[]", status: 201, answer: "[]"),
        Request(caller: .machine, method: .post, uri: "/v1/alerts", body: "[", status: 400),
        Request(caller: .machine, method: .post, uri: "/v1/alerts", body: "[{}]", status: 500),
        Request(
            caller: .machine, method: .delete, uri: "/v1/decisions/9999", status: 500,
            answer: #"{"message":"decision with id '9999' doesn't exist: unable to delete"}"#),
        Request(
            caller: .machine, method: .delete, uri: "/v1/decisions/x", status: 400,
            answer: #"{"message":"decision_id must be valid integer"}"#),
        Request(
            caller: .machine, method: .delete, uri: "/v1/decisions?foo=1", status: 500,
            answer: #"{"message":"'foo' doesn't exist: invalid filter"}"#),
        Request(caller: .machine, method: .delete, uri: "/v1/decisions", status: 200, answer: #"{"nbDeleted":"0"}"#),
        Request(caller: .machine, method: .get, uri: "/v1/allowlists", status: 200, answer: "[]"),
        Request(
            caller: .machine, method: .get, uri: "/v1/allowlists/x", status: 500,
            answer: #"{"message":"allowlist 'x' not found"}"#),
        Request(
            caller: .machine, method: .get, uri: "/v1/allowlists/check/2.3.4.0%2F24", status: 200, answer: "{}"),
        Request(caller: .machine, method: .head, uri: "/v1/allowlists/check/1.2.3.4", status: 204, answer: ""),
        Request(
            caller: .machine, method: .get, uri: "/v1/allowlists/check/x", status: 500,
            answer: #"{"message":"invalid ip address 'x'"}"#),
        Request(
            caller: .machine, method: .post, uri: "/v1/allowlists/check", body: #"{"targets":[]}"#, status: 400,
            answer: #"{"message":"targets list cannot be empty"}"#),
        Request(
            caller: .machine, method: .post, uri: "/v1/allowlists/check", body: #"{"targets":["1.2.3.4"]}"#,
            status: 200, answer: #"{"results":[]}"#),
        Request(
            caller: .machine, method: .post, uri: "/v1/usage-metrics", body: #"{"log_processors":[]}"#, status: 400,
            answer: #"{"message":"Missing log processor data"}"#),
        Request(
            caller: .machine, method: .post, uri: "/v1/usage-metrics", body: #"{"log_processors":[{}]}"#, status: 422),
        Request(
            caller: .machine, method: .post, uri: "/v1/usage-metrics",
            body:
                #"{"log_processors":[{"version":"v1","utc_startup_timestamp":1,"hub_items":{},"datasources":{},"metrics":[{"meta":{"window_size_seconds":1},"items":[{"name":"a","unit":"b"}]}]}]}"#,
            status: 422,
            answer:
                #"{"message":"validation failure list:\nlog_processors.0.metrics.0.items.0.value in body is required\nlog_processors.0.metrics.0.meta.utc_now_timestamp in body is required"}"#
        ),
        Request(
            caller: .machine, method: .post, uri: "/v1/usage-metrics",
            body:
                #"{"log_processors":[{"version":"v1","utc_startup_timestamp":1,"hub_items":{},"datasources":{"file":"1"}}]}"#,
            status: 400,
            answer: #"{"message":"json: cannot unmarshal string into log_processors.0.datasources.file"}"#),
        Request(
            caller: .machine, method: .post, uri: "/v1/usage-metrics",
            body: #"{"log_processors":[{"version":"v1","utc_startup_timestamp":1,"hub_items":[],"datasources":{}}]}"#,
            status: 400, answer: #"{"message":"json: cannot unmarshal array into log_processors.0.hub_items"}"#),
        Request(
            caller: .machine, method: .post, uri: "/v1/usage-metrics",
            body:
                #"{"log_processors":[{"version":"v1","utc_startup_timestamp":1,"hub_items":{},"datasources":{},"metrics":[{"meta":{"window_size_seconds":1,"utc_now_timestamp":1},"items":[{"name":"a","unit":"b","value":1e999}]}]}]}"#,
            status: 400,
            answer: #"{"message":"json: cannot unmarshal number 1e999 into log_processors.0.metrics.0.items.0.value"}"#),
        Request(caller: .bouncer, method: .get, uri: "/v1/decisions", status: 200, answer: "null"),
        Request(caller: .bouncer, method: .head, uri: "/v1/decisions/stream", status: 200, answer: ""),
        Request(
            caller: .bouncer, method: .get, uri: "/v1/decisions?ip=x", status: 500,
            answer: #"{"message":"invalid ip address 'x'"}"#),
        Request(
            caller: .bouncer, method: .get, uri: "/v1/decisions/stream?startup=true", status: 200,
            answer: #"{"new": [], "deleted": []}"#),
        Request(
            caller: .bouncer, method: .get, uri: "/v1/decisions/stream?ip=bad", status: 200,
            answer: #"{"new": [], "deleted": []}"#),
        Request(
            caller: .bouncer, method: .post, uri: "/v1/usage-metrics",
            body:
                #"{"log_processors":null,"remediation_components":[{"feature_flags":[],"metrics":[{"items":[],"meta":{"utc_now_timestamp":1,"window_size_seconds":900}}],"os":{"name":"debian","version":"12"},"utc_startup_timestamp":1,"version":"v1","type":"fw"}]}"#,
            status: 201, answer: ""),
        Request(caller: .machine, method: .get, uri: "/v1/refresh_token", status: 200),
        Request(
            caller: .nobody, method: .get, uri: "/v1/refresh_token", status: 401,
            answer: #"{"code":401,"message":"cookie token is empty"}"#),
        Request(caller: .machine, method: .delete, uri: "/v1/watchers/self", status: 204, answer: ""),
        Request(
            caller: .machine, method: .get, uri: "/v1/refresh_token", status: 401,
            answer: #"{"code":401,"message":"ent: machine not found"}"#),
        Request(
            caller: .machine, method: .delete, uri: "/v1/watchers/self", status: 500,
            answer: #"{"message":"'agent' does not exist"}"#),
    ]

    @Test(arguments: Way.allCases) func answers(_ way: Way) async throws {
        try await ServerFixture().test(Self.setup(way)) { client in
            let token = try await client.logIn()
            #expect(!token.isEmpty)
            for request in Self.requests {
                let answer: ServerFixture.Client.Answer
                switch request.caller {
                case .nobody:
                    answer = try await client.send(
                        request.method, request.uri, [("User-Agent", "crowdsec/v1")], body: request.body)
                case .machine:
                    answer = try await client.asMachine(token, request.method, request.uri, body: request.body)
                case .bouncer:
                    answer = try await client.send(
                        request.method, request.uri, [("X-Api-Key", ServerFixture.key), ("User-Agent", "fw/1")],
                        body: request.body)
                }
                #expect(answer.status == request.status, "\(request.testDescription): \(answer.text)")
                if let expected = request.answer { #expect(answer.text == expected, "\(request.testDescription)") }
            }
        }
    }

    @Test(arguments: [
        ("/health", "GET"), ("/v1/watchers", "POST"), ("/v1/alerts", "POST, GET, HEAD, DELETE"),
        ("/v1/decisions/stream", "GET, HEAD, DELETE"), ("/v1/allowlists/check", "POST, GET"),
    ])
    func aWrongMethodIsToldTheRightOnes(_ path: String, _ methods: String) async throws {
        try await ServerFixture().test(.router) { client in
            let answer = try await client.send(.patch, path)
            #expect(answer.status == 405 && answer.text.isEmpty && answer.headers[.allow] == methods)
        }
    }

    /// Where machines and bouncers may come, and who comes says nothing.
    @Test(arguments: [
        (HTTPRequest.Method.get, "/v1/allowlists", "", 401), (.get, "/v1/allowlists", "fw/1", 401),
        (.post, "/v1/usage-metrics", "", 403), (.post, "/v1/usage-metrics", "crowdsec/v1", 401),
    ])
    func strangersAreRefusedAs(_ method: HTTPRequest.Method, _ path: String, _ agent: String, _ status: Int)
        async throws
    {
        try await ServerFixture().test(.router) { client in
            let answer = try await client.send(method, path, [("User-Agent", agent)], body: "{}")
            #expect(answer.status == status)
        }
    }

    /// Longer than what is read at a time, in alerts and in decisions of one alert.
    @Test(arguments: Way.allCases) func aLongListIsWhole(_ way: Way) async throws {
        try await ServerFixture().test(Self.setup(way)) { client in
            let token = try await client.logIn()
            func alert(_ decisions: Range<Int>) -> String {
                let list = decisions.map { number in
                    #"{"origin":"cscli","type":"ban","scope":"Ip","value":"10.0.\#(number >> 8).\#(number & 255)","#
                        + #""duration":"4h","scenario":"x"}"#
                }
                return #"{"capacity":0,"events":[],"events_count":1,"leakspeed":"0","message":"","scenario":"x","#
                    + #""scenario_hash":"","scenario_version":"","simulated":false,"source":{"scope":"","value":""},"#
                    + #""start_at":"2026-01-01T00:00:00Z","stop_at":"2026-01-01T00:00:00Z","#
                    + #""decisions":[\#(list.joined(separator: ","))]}"#
            }
            let alerts = (0..<450).map { alert($0..<($0 + 1)) } + [alert(1000..<6000)]
            let body = "[" + alerts.joined(separator: ",") + "]"
            #expect(try await client.asMachine(token, .post, "/v1/alerts", body: body).status == 201)
            let list = try await client.asMachine(token, .get, "/v1/alerts?limit=0&sort=ASC").json.array ?? []
            #expect(list.compactMap { $0["id"]?.int } == (1...451).map { Int64($0) })
            #expect(list.map { $0["decisions"]?.array?.count ?? 0 } == Array(repeating: 1, count: 450) + [5000])
            let ten = try await client.asMachine(token, .get, "/v1/alerts?limit=10").json.array ?? []
            #expect(ten.compactMap { $0["id"]?.int } == (442...451).reversed().map { Int64($0) })
        }
    }

    @Test(arguments: Way.allCases) func anAlertBecomesADecision(_ way: Way) async throws {
        try await ServerFixture().test(Self.setup(way)) { client in
            let token = try await client.logIn()
            let uuid = "6a1c0a52-4c9b-4f64-9a0e-0d6a2f3b1c11"
            let attack = ServerFixture.attack("203.0.113.9", scope: "ip", uuid: uuid)
            let first = try await client.asMachine(token, .post, "/v1/alerts", body: attack)
            #expect(first.status == 201 && first.text == #"["1"]"#)
            // Sent again after a lost answer: the same id, stored once.
            #expect(try await client.asMachine(token, .post, "/v1/alerts", body: attack).text == #"["1"]"#)

            let stream = try await client.asBouncer(.get, "/v1/decisions/stream?startup=true")
            #expect(stream.headers[.contentType] == "application/json")
            let decision = try #require(stream.json["new"]?.array?.first)
            #expect(stream.json["new"]?.array?.count == 1)
            #expect(decision["value"]?.string == "203.0.113.9" && decision["scope"]?.string == "Ip")
            #expect(["4h0m0s", "3h59m59s"].contains(decision["duration"]?.string ?? ""))

            let alerts = try await client.asMachine(token, .get, "/v1/alerts?has_active_decision=true").json
            #expect(alerts.array?.first?["machine_id"]?.string == "agent")
            #expect(alerts.array?.first?["decisions"]?.array?.first?["simulated"]?.bool == false)
            #expect(alerts.array?.first?["labels"]?.isNull == true)

            #expect(try await client.asMachine(token, .delete, "/v1/decisions/1").text == #"{"nbDeleted":"1"}"#)
            let delta = try await client.asBouncer(.get, "/v1/decisions/stream?").json
            #expect(delta["deleted"]?.array?.first?["duration"]?.string == "0s")
            #expect(try await client.asBouncer(.get, "/v1/decisions?ip=203.0.113.9").text == "null")
        }
    }

    /// Asked of the routes themselves: the test client sends one request at a time.
    @Test func aHeldDeltaEndsWithTheChange() async throws {
        let fixture = try await ServerFixture()
        let api = fixture.api
        let bouncer = try #require(api.clients.bouncer(named: "edge"))
        var call = Call(
            method: .get, parameters: [:], query: QueryParameters(""), headers: HTTPFields(), body: [],
            client: ServerSettings.loopback,
            caller: .bouncer(BouncerIdentity(id: bouncer.id, name: bouncer.name)), now: .now())
        let first = try await api.streamDecisions(call)
        first.afterSending?()
        if let name = HTTPField.Name("X-Crowd-Hold") { call.headers[name] = "20" }
        call.now = .now()
        let held = call
        let started = ContinuousClock.now
        async let answer = api.streamDecisions(held)
        while api.decisions.waiterCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
        var post = call
        (post.caller, post.now) = (.machine("agent"), .now())
        post.body = Array(ServerFixture.ban("192.0.2.1").utf8)
        _ = try await api.postAlerts(post)
        let reply = try await answer
        #expect(ContinuousClock.now - started < .seconds(5))
        guard case .pieces(let pieces) = reply.body else { return }
        #expect(pieces.map { String(buffer: $0) }.joined().contains("192.0.2.1"))
        #expect(HTTPField.Name("X-Crowd-Hold").flatMap { reply.headers[$0] } == "20")
        await fixture.remove()
    }

    /// An address that came to a bouncer over IPv6 is asked for as it came.
    @Test func mappedAddressesFindTheirBans() async throws {
        try await ServerFixture().test(.live) { client in
            let token = try await client.logIn()
            for value in ["192.0.2.1", "::ffff:192.0.2.2"] {
                let ban = try await client.asMachine(token, .post, "/v1/alerts", body: ServerFixture.ban(value))
                #expect(ban.status == 201)
            }
            for uri in ["ip=::ffff:192.0.2.1", "ip=192.0.2.2", "range=::ffff:192.0.2.2/128", "ip=192.0.2.2&x=1;y"] {
                let found = try await client.asBouncer(.get, "/v1/decisions?\(uri)")
                #expect(found.json.array?.count == 1, "\(uri)")
            }
        }
    }

    /// Of three decisions those with these ids; a stream has all, whatever is asked for.
    @Test(
        arguments: [
            ("limit=2", [1, 2]), ("limit=0", []), ("limit=-1", [1, 2, 3]), ("limit=9223372036854775807", [1, 2, 3]),
            ("offset=1", [2, 3]), ("offset=-1", [1, 2, 3]), ("offset=9223372036854775807", []),
            ("limit=1&offset=1", [2]),
            ("id_gt=1", [2, 3]), ("id_gt=-9223372036854775808", [1, 2, 3]), ("id_gt=9223372036854775807", []),
            ("id_gt=1&limit=1", [2]),
        ] as [(String, [Int64])])
    func partsOfTheDecisions(_ query: String, _ ids: [Int64]) async throws {
        try await ServerFixture().test(.router) { client in
            let token = try await client.logIn()
            for number in 1...3 {
                _ = try await client.asMachine(token, .post, "/v1/alerts", body: ServerFixture.ban("192.0.2.\(number)"))
            }
            let found = try await client.asBouncer(.get, "/v1/decisions?\(query)")
            #expect((found.json.array ?? []).compactMap { $0["id"]?.int } == ids)
            let stream = try await client.asBouncer(.get, "/v1/decisions/stream?startup=true&\(query)")
            #expect(stream.json["new"]?.array?.count == 3)
        }
    }

    /// A machine that may only submit alerts (docs/protocol-extensions.md).
    @Test func aLimitedMachineOnlySubmitsAndReads() async throws {
        let fixture = try await ServerFixture()
        let api = fixture.api
        try await fixture.test(.live) { client in
            let token = try await client.logIn()
            let ban = try await client.asMachine(token, .post, "/v1/alerts", body: ServerFixture.ban("192.0.2.1"))
            #expect(ban.status == 201)
            try await api.store.write { session throws(StoreError) in
                try MachineQueries.setScope(.alerts, of: "agent", in: session)
            }
            try await api.reloadClients()
            let attack = try await client.asMachine(
                token, .post, "/v1/alerts", body: ServerFixture.attack("192.0.2.2"))
            #expect(attack.status == 201 && attack.text == #"["2"]"#)
            let refused = try await client.asMachine(token, .post, "/v1/alerts", body: ServerFixture.ban("192.0.2.3"))
            #expect(refused.status == 403)
            #expect(
                refused.json["message"]?.string
                    == "machine 'agent' may only submit alerts: it may not bring decisions of its own")
            for uri in ["/v1/decisions", "/v1/decisions/1", "/v1/alerts", "/v1/alerts/1"] {
                let answer = try await client.asMachine(token, .delete, uri)
                #expect(answer.status == 403 && answer.json["message"]?.string != nil, "\(uri)")
            }
            for uri in ["/v1/alerts", "/v1/heartbeat", "/v1/allowlists"] {
                let answer = try await client.asMachine(token, .get, uri)
                #expect(answer.status == 200, "\(uri)")
            }
            let decisions = try await client.asBouncer(.get, "/v1/decisions")
            #expect(decisions.json.array?.count == 2)
            try await api.store.write { session throws(StoreError) in
                try MachineQueries.setScope(.full, of: "agent", in: session)
            }
            try await api.reloadClients()
            let deleted = try await client.asMachine(token, .delete, "/v1/decisions/1")
            #expect(deleted.status == 200)
        }
    }

    @Test func aSharedKeyGetsARowForEachAddress() async throws {
        let fixture = try await ServerFixture { $0.usesForwardedForHeaders = true }
        try await fixture.test(.live) { client in
            for address in ["192.0.2.1", "192.0.2.2", "192.0.2.2, 10.0.0.1"] {
                _ = try await client.asBouncer(.get, "/v1/decisions", [("X-Forwarded-For", address)])
            }
            #expect(fixture.api.clients.bouncer(named: "edge") != nil)
        }
    }
}
