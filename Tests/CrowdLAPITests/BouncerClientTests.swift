import CrowdCore
import CrowdHTTP
import CrowdTestSupport
import Synchronization
import Testing

@testable import CrowdLAPI

private let body = """
    {"new": [{"duration":"3h59m52s","id":1,"origin":"crowdsec","scenario":"a \\"}]b","scope":"Ip","type":"ban","uuid":"u",\
    "value":"203.0.113.9"},{"value":null,"duration":"1s","x":{"new":[{}]}}, 5, null], "other":[{"value":"no"}], \
    "deleted": [{"value":"198.51.100.0/24","duration":"-5s"}]}
    """

private struct Emitted: Equatable {
    var isDeleted: Bool
    var value: String
}

private func split(_ text: String, step: Int) throws -> (emitted: [Emitted], isComplete: Bool) {
    var splitter = StreamSplitter()
    var emitted: [Emitted] = []
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { all in
        for start in stride(from: 0, to: bytes.count, by: step) {
            try splitter.feed(UnsafeBufferPointer(rebasing: all[start..<min(start + step, bytes.count)])) {
                list, object in
                var reader = JSONReader(object)
                let value = (try? StreamDecision(from: &reader))?.value ?? "?"
                emitted.append(Emitted(isDeleted: list == .deleted, value: value))
            }
        }
    }
    return (emitted, splitter.isComplete)
}

@Suite("Decision stream") struct DecisionStreamTests {
    @Test(arguments: 1...64)
    func isCutIntoDecisionsHoweverItArrives(_ step: Int) throws {
        let result = try split(body, step: step)
        #expect(result.isComplete)
        #expect(
            result.emitted == [
                .init(isDeleted: false, value: "203.0.113.9"), .init(isDeleted: false, value: ""),
                .init(isDeleted: true, value: "198.51.100.0/24"),
            ])
    }

    @Test(arguments: [
        "{\"deleted\":null,\"new\":null}", "{\"new\":[],\"deleted\":[]}", " {\"new\": [\n]}\n",
        "{\"x\":\"new\",\"y\":[[{}]],\"new\" :\n null,\"z\":{\"new\":5}}",
    ])
    func emptyAnswersAreComplete(_ text: String) throws {
        let result = try split(text, step: 7)
        #expect(result.isComplete && result.emitted.isEmpty)
    }

    @Test func aCutAnswerIsNeverComplete() throws {
        for length in 0..<body.utf8.count {
            #expect(try !split(String(decoding: body.utf8.prefix(length), as: UTF8.self), step: 16).isComplete)
        }
    }

    /// Well formed, and not what was asked for.
    @Test(arguments: ["{}", "{\"message\":\"new\"}", "{\"deleted\":[]}", "{\"x\":{\"new\":[]}}", "{\"new\\u0000\":[]}"])
    func withoutNewDecisionsItIsNoAnswer(_ text: String) throws {
        #expect(try !split(text, step: 5).isComplete)
    }

    @Test(arguments: [
        "[]", "x", "\"a\"", "}", "{}{", "<html>", "{\"new\":\"all\"}", "{\"new\":7}", "{\"new\":{}}",
        "{\"deleted\":true}",
        "{\"new\":[],\"deleted\":{\"value\":\"x\"}}", "{\"new\":[]}[",
    ])
    func nonsenseIsRefused(_ text: String) { #expect(throws: StreamSplitter.Failure.self) { try split(text, step: 3) } }

    @Test func anEndlessDecisionIsRefused() {
        #expect(throws: StreamSplitter.Failure.tooLong) {
            try split("{\"new\":[{\"value\":\"" + String(repeating: "x", count: 100_000), step: 4096)
        }
    }
}

@Suite("Bouncer client") struct BouncerClientTests {
    private func client(_ server: ScriptedServer) -> BouncerClient {
        var settings = BouncerClient.Settings(
            endpoint: HTTPEndpoint(baseURL: server.url, userAgent: "crowdsec-firewall-bouncer/v0"), apiKey: "key")
        settings.filters = [("scopes", ["ip", "range"]), ("origins", [])]
        return BouncerClient(settings)
    }

    @Test func asksForEverythingThenHoldsForChanges() async throws {
        let server = try ScriptedServer { request in
            .init(200, body, headers: request.headers["x-crowd-hold"].map { [("X-Crowd-Hold", $0)] } ?? [])
        }
        let bouncer = client(server)
        let values = Mutex<[String]>([])
        let first = try await bouncer.stream(startup: true, hold: 30) { isDeleted, decision in
            values.withLock { $0.append("\(isDeleted ? "-" : "+")\(decision.value)") }
        }
        #expect(first == .init(holdSeconds: nil, unreadable: 0))
        #expect(values.withLock { $0 } == ["+203.0.113.9", "+", "-198.51.100.0/24"])
        let second = try await bouncer.stream(startup: false, hold: 30) { _, _ in }
        #expect(second.holdSeconds == 30)
        #expect(
            server.requests.map(\.path) == [
                "/v1/decisions/stream?startup=true&scopes=ip%2Crange", "/v1/decisions/stream?scopes=ip%2Crange",
            ])
        #expect(server.requests[1].headers["x-api-key"] == "key" && server.requests[1].headers["x-crowd-hold"] == "30")
    }

    @Test func refusalsAndCutAnswersAreErrors() async throws {
        let forbidden = try ScriptedServer { _ in .init(403, "{\"message\":\"access forbidden\"}") }
        let error = await #expect(throws: LAPIError.self) {
            try await client(forbidden).stream(startup: true) { _, _ in }
        }
        #expect(error?.description == "API error: access forbidden")
        let cut = try ScriptedServer { _ in .init(200, String(body.prefix(100))) }
        let second = await #expect(throws: LAPIError.self) { try await client(cut).stream(startup: true) { _, _ in } }
        #expect(second == .badAnswer("the decision stream was cut off or malformed"))
    }

    private static func packed(_ shell: String) -> [UInt8] {
        let output = try? Command.run(["sh", "-c", "\(shell) | gzip -9 -n | od -An -v -tu1"]).output
        return (output ?? "").split(whereSeparator: \.isWhitespace).compactMap { UInt8($0) }
    }

    static let gzip = [("Content-Encoding", "gzip")]
    static let nonsense: [(String, ScriptedServer.Response)] = [
        ("500", .init(500, "{\"message\":\"sorry\"}")), ("a proxy's page", .init(502, "<html>Bad Gateway</html>")),
        ("403 without words", .init(403)), ("a captive portal", .init(200, "<html>Welcome</html>")),
        ("nothing", .init(200)), ("204", .init(204)), ("null", .init(200, "null")),
        ("somebody else's JSON", .init(200, "{\"status\":\"ok\"}")),
        ("a redirect", .init(301, body, headers: [("Location", "/elsewhere")])), ("a dropped connection", .drop),
        ("bytes", .init(200, "\u{0}\u{1}\u{2}")), ("depth", .init(200, String(repeating: "[", count: 100_000))),
        ("a string without end", .init(200, "{\"new\":[{\"value\":\"" + String(repeating: "9", count: 200_000))),
        ("no gzip", .init(200, body, headers: gzip)),
        ("much packed nothing", .init(200, bytes: packed("head -c 300000000 /dev/zero"), headers: gzip)),
        ("much packed space", .init(200, bytes: packed("yes ' ' | head -c 300000000"), headers: gzip)),
        ("a cut gzip", .init(200, bytes: Array(packed("cat /etc/services").prefix(500)), headers: gzip)),
    ]

    @Test(arguments: nonsense.map(\.0))
    func nonsenseIsAnErrorAndIsNotActedUpon(_ name: String) async throws {
        let answer = try #require(Self.nonsense.first { $0.0 == name }?.1)
        let server = try ScriptedServer { _ in answer }
        var settings = BouncerClient.Settings(
            endpoint: HTTPEndpoint(baseURL: server.url, userAgent: "crowdsec-firewall-bouncer/v0"), apiKey: "key")
        settings.maxResponseBytes = 100_000_000
        let bouncer = BouncerClient(settings)
        await #expect(throws: LAPIError.self) { try await bouncer.stream(startup: true) { _, _ in } }
        #expect(!server.requests.contains { $0.path == "/elsewhere" }, "redirects are not followed")
    }

    @Test(arguments: [
        ("{\"new\":[{\"value\":5,\"duration\":[],\"type\":{},\"origin\":null}],\"deleted\":null}", 0),
        ("{\"new\":[[[[]]],[1],{\"value\":\"\\ud800\"},{\"a\" 1}],\"deleted\":[]}", 3), ("{\"new\":[null,1,\"x\"]}", 0),
    ])
    func whatIsNoDecisionCostsNoOther(_ text: String, _ unreadable: Int) async throws {
        let server = try ScriptedServer { _ in .init(200, text) }
        let answer = try await client(server).stream(startup: true) { _, _ in }
        #expect(answer.unreadable == unreadable)
    }

    @Test(arguments: [(201, true), (404, false), (405, false)])
    func oldServersKnowNoUsageMetrics(_ status: Int, _ known: Bool) async throws {
        let server = try ScriptedServer { _ in .init(status, status == 201 ? "" : "{\"message\":\"x\"}") }
        #expect(try await client(server).postUsageMetrics(Array("{}".utf8)) == known)
    }
}
