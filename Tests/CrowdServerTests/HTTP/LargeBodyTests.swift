import CrowdCore
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import CrowdServer

/// Bodies that would take or give many times their own length.
@Suite("Large bodies") struct LargeBodyTests {
    struct Body: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var route = "/v1/alerts"
        var text: String
        var status: Int
        /// How the answer's message begins.
        var message: String
    }

    private static let empties = String(repeating: "{},", count: 20_000) + "{}"
    private static let alert = String(ServerFixture.attack("192.0.2.1").dropFirst().dropLast())

    private static func alert(_ member: String, _ value: String) -> String {
        "[" + alert.dropLast() + ",\"\(member)\":\(value)}]"
    }

    static let bodies = [
        Body(
            testDescription: "alerts without anything", text: "[\(empties)]", status: 500,
            message: "validation failure list:\n0.capacity in body is required\n0.events in body"),
        Body(
            testDescription: "one alert among them", text: "[\(empties),\(alert)]", status: 500,
            message: "validation failure list:\n0.capacity in body is required"),
        Body(
            testDescription: "events without anything", text: alert("events", "[\(empties)]"), status: 500,
            message: "validation failure list:\n0.events.0.meta in body is required"),
        Body(
            testDescription: "decisions without anything", text: alert("decisions", "[\(empties)]"), status: 500,
            message: "validation failure list:\n0.decisions.0.duration in body is required"),
        Body(
            testDescription: "a number of many digits",
            text: alert("capacity", String(repeating: "1", count: 100_000)), status: 400,
            message: "json: number 1111111111"),
        Body(
            testDescription: "a duration that is a novel",
            text: alert(
                "decisions",
                #"[{"origin":"x","type":"ban","scope":"Ip","value":"192.0.2.1","scenario":"x","duration":"\#(empties)"}]"#
            ),
            status: 500, message: "validation failure: decision duration '{},{}"),
        Body(
            testDescription: "components without anything", route: "/v1/usage-metrics",
            text: #"{"log_processors":[\#(empties)]}"#, status: 422,
            message: "validation failure list:\nlog_processors.0.utc_startup_timestamp"),
        Body(
            testDescription: "a quarter of a million values", route: "/v1/usage-metrics",
            text: #"{"x":[\#(String(repeating: "0,", count: 250_000))0]}"#, status: 400,
            message: "more than 250000 values"),
        Body(
            testDescription: "a name of strangers", route: "/v1/watchers",
            text: #"{"machine_id":"\#(String(repeating: "x", count: 256))","password":"x"}"#, status: 422,
            message: "validation failure list:\nmachine_id in body should be at most 255 chars long"),
    ]

    @Test(arguments: bodies) func isAnsweredInFewWords(_ body: Body) async throws {
        let fixture = try await ServerFixture()
        try await fixture.test(.router) { client in
            let token = try await client.logIn()
            let answer = try await client.asMachine(token, .post, body.route, body: body.text)
            #expect(answer.status == body.status)
            #expect(answer.text.utf8.count < 100_000)
            let message = answer.json["message"]?.string ?? ""
            #expect(message.hasPrefix(body.message), "\(message.prefix(200))")
        }
    }

    @Test func allTogetherHaveRoom() async throws {
        let fixture = try await ServerFixture()
        let (bodies, strangers) = (fixture.api.bodies, fixture.api.strangersBodies)
        try await fixture.test(.live) { client in
            let token = try await client.logIn()
            let body = ServerFixture.attack("192.0.2.1")
            let blanks = String(repeating: " ", count: 40 << 10)
            try bodies.take(512 << 20)
            let full = try await client.asMachine(token, .post, "/v1/alerts", body: body + blanks)
            #expect(full.status == 503 && full.json["message"]?.string == "too many large requests at once")
            #expect(try await client.asMachine(token, .post, "/v1/alerts", body: body).status == 201)
            bodies.giveBack(512 << 20)
            #expect(try await client.asMachine(token, .post, "/v1/alerts", body: body + blanks).status == 201)

            try strangers.take(64 << 20)
            let logIn = #"{"machine_id":"nobody","password":"x"}"# + blanks
            #expect(try await client.asMachine("", .post, "/v1/watchers/login", body: logIn).status == 503)
            #expect(try await !client.logIn().isEmpty)
            strangers.giveBack(64 << 20)
            #expect(try await client.asMachine("", .post, "/v1/watchers/login", body: logIn).status == 401)
        }
        #expect(bodies.used == 0 && strangers.used == 0)
    }
}
