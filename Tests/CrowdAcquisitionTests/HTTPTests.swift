import CrowdCore
import CrowdHTTP
import CrowdTestSupport
import Glibc
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

@Suite("JSON values of a stream") struct JSONValueCutterTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String { stream }
        var stream: String
        var values: [String]
        var refusal: JSONValueCutter.Refusal?
    }

    @Test(arguments: [
        Case(stream: #"{"a":1}{"b":[1,2]}"#, values: [#"{"a":1}"#, #"{"b":[1,2]}"#]),
        Case(stream: "{\"a\":1}\n\n  {\"a\": \"}\"}\r\n", values: [#"{"a":1}"#, #"{"a": "}"}"#]),
        Case(stream: #"{"a":"\"}{"} ["]"]"#, values: [#"{"a":"\"}{"}"#, #"["]"]"#]),
        Case(stream: "{\n  \"a\": 1\n}\n", values: ["{\n  \"a\": 1\n}"]),
        Case(stream: #"1 -2.5 true null "x" "y""#, values: ["1", "-2.5", "true", "null", #""x""#, #""y""#]),
        Case(stream: "", values: []), Case(stream: " \n", values: []),
        Case(stream: #"{"a":1} x"#, values: [#"{"a":1}"#], refusal: .malformed),
        Case(stream: #"{"a":1},{"b":1}"#, values: [#"{"a":1}"#], refusal: .malformed),
        Case(stream: #"{"a":1} {"b":"#, values: [#"{"a":1}"#], refusal: .malformed),
        Case(stream: #"{"a":1} {"b":]}"#, values: [#"{"a":1}"#], refusal: .malformed),
        Case(stream: "1 tru ", values: ["1"], refusal: .malformed),
        Case(stream: "1 2x", values: ["1"], refusal: .malformed),
        Case(stream: #"1 {"a":"0123456789012345678901234567890"}"#, values: ["1"], refusal: .tooLong),
    ])
    func cuts(_ one: Case) {
        let bytes = Array(one.stream.utf8)
        for size in [1, 2, 3, 7, max(bytes.count, 1)] {
            var cutter = JSONValueCutter(limit: 30)
            var values: [String] = []
            var refusal: JSONValueCutter.Refusal?
            do throws(JSONValueCutter.Refusal) {
                for start in stride(from: 0, to: bytes.count, by: size) {
                    let piece = Array(bytes[start..<min(start + size, bytes.count)])
                    try piece.withUnsafeBufferPointer { buffer throws(JSONValueCutter.Refusal) in
                        try cutter.feed(ByteSlice(buffer)) { values.append(String($0)) }
                    }
                }
                try cutter.finish { values.append(String($0)) }
            } catch {
                refusal = error
            }
            #expect(values == one.values && refusal == one.refusal, "in pieces of \(size)")
        }
    }
}

@Suite("HTTP source") struct HTTPSourceTests {
    private let metrics = Metrics()

    private func source(_ yaml: String, address: String = "listen_addr: 127.0.0.1:0") throws -> HTTPSource {
        let node = try SourceHarness.yaml("source: http\n\(address)\nlabels: {type: t}\n\(yaml)\n")
        return HTTPSource(
            try HTTPSourceConfig(from: node), AcquisitionContext(metrics: metrics, log: SourceHarness.log))
    }

    private static let headers = "auth_type: headers\nheaders: {X-Key: secret}"
    private static let key = [(name: "X-Key", value: "secret")]

    private func client(_ port: Int) -> HTTPClient {
        HTTPClient(HTTPEndpoint(baseURL: "http://127.0.0.1:\(port)", userAgent: "test/1"))
    }

    /// Sends while the harness plays the engine: answers come once events are accounted for.
    private func exchange(
        _ harness: SourceHarness, _ client: HTTPClient, _ request: HTTPRequest, events: Int = 0
    ) throws -> (HTTPResponse, [SourceHarness.Line]) {
        let answer = Completion<Result<HTTPResponse, HTTPError>>()
        PlainThread.start("client") {
            let result = Result { try ThreadExecutor.run { try await client.send(request) } }
            answer.set(result.mapError { $0 as? HTTPError ?? .cancelled })
        }
        var lines: [SourceHarness.Line] = []
        while answer.value == nil { lines += harness.takeSome() }
        lines += harness.take(events - lines.count, seconds: 1)
        return (try answer.wait().get(), lines)
    }

    @Test func takesEvents() throws {
        let source = try source(Self.headers + "\npath: /logs")
        let harness = SourceHarness(source)
        let client = client(source.port)
        for (body, values) in [
            (#"{"a":1}"#, [#"{"a":1}"#]), ("{\"a\":1}\n{\"b\":\"x\"}\n", [#"{"a":1}"#, #"{"b":"x"}"#]), ("", []),
            ((0..<20_000).map { "{\"n\":\($0)}" }.joined(), (0..<20_000).map { "{\"n\":\($0)}" }),
        ] {
            let request = HTTPRequest(.post, "logs", headers: Self.key, body: Array(body.utf8))
            let (answer, lines) = try exchange(harness, client, request, events: values.count)
            #expect(answer.status == 200 && lines.map(\.text) == values)
            #expect(lines.allSatisfy { $0.source == "127.0.0.1" && $0.labels == ["type=t"] })
            let packed = HTTPRequest(
                .post, "logs", headers: Self.key + [("Content-Encoding", "gzip")],
                body: Gzip.compress(Array(body.utf8)))
            let (second, again) = try exchange(harness, client, packed, events: values.count)
            #expect(second.status == 200 && again.map(\.text) == values)
        }
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(
            text.contains(
                #"cs_httpsource_hits_total{path="/logs",src="127.0.0.1",datasource_type="http",acquis_type="t"} 40006"#),
            "\(text)")
        harness.stop()
    }

    /// No answer before the engine has its events.
    @Test func anAnswerMeansThatEventsAreAccountedFor() throws {
        let source = try source(Self.headers)
        let harness = SourceHarness(source)
        let client = client(source.port)
        let answer = Completion<Int>()
        let request = HTTPRequest(.post, "", headers: Self.key, body: Array("{}".utf8))
        PlainThread.start("client") {
            answer.set((try? ThreadExecutor.run { try await client.send(request).status }) ?? -1)
        }
        #expect(answer.wait(atMost: .milliseconds(400)) == nil)
        #expect(harness.texts(1) == ["{}"])
        #expect(answer.wait() == 200)
        harness.stop()
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var method = HTTPRequest.Method.post
        var path = "logs"
        var headers = HTTPSourceTests.key
        var body: String? = "{}"
        var status: Int
        var values: [String] = []
    }

    @Test(arguments: [
        Refused(testDescription: "no key", headers: [], status: 401),
        Refused(testDescription: "wrong key", headers: [("X-Key", "Secret")], status: 401),
        Refused(testDescription: "wrong path", path: "log", status: 404),
        Refused(testDescription: "path with more", path: "logs/x", status: 404),
        Refused(testDescription: "query", path: "logs?a=b", status: 200, values: ["{}"]),
        Refused(testDescription: "PUT", method: .put, status: 405),
        Refused(testDescription: "DELETE", method: .delete, body: nil, status: 405),
        Refused(testDescription: "GET", method: .get, body: nil, status: 200),
        Refused(testDescription: "HEAD", method: .head, body: nil, status: 200),
        Refused(testDescription: "GET without key", method: .get, headers: [], body: nil, status: 401),
        Refused(testDescription: "broken JSON", body: #"{"a":1}{"b"}{"c":1}"#, status: 400, values: [#"{"a":1}"#]),
        Refused(testDescription: "half a value", body: #"{"a":1}{"b":"#, status: 400, values: [#"{"a":1}"#]),
        Refused(
            testDescription: "not gzip", headers: HTTPSourceTests.key + [("Content-Encoding", "gzip")], status: 400),
        Refused(testDescription: "too large", body: String(repeating: " ", count: 1_001), status: 413),
        Refused(
            testDescription: "too large without saying so",
            headers: HTTPSourceTests.key + [("Transfer-Encoding", "chunked")],
            body: "{}" + String(repeating: " ", count: 1_001), status: 413),
    ])
    func answers(_ one: Refused) throws {
        let source = try source(Self.headers + "\npath: /logs\nmax_body_size: 1000")
        let harness = SourceHarness(source)
        let request = HTTPRequest(one.method, one.path, headers: one.headers, body: one.body.map { Array($0.utf8) })
        let (answer, lines) = try exchange(harness, client(source.port), request, events: one.values.count)
        #expect(answer.status == one.status)
        #expect(lines.map(\.text) == one.values)
        harness.stop()
    }

    @Test func basicAuthentication() throws {
        let source = try source("auth_type: basic_auth\nbasic_auth: {username: u, password: 'p:w'}")
        let harness = SourceHarness(source)
        for (credentials, status) in [("u:p:w", 200), ("u:p", 401), ("x:p:w", 401), ("", 401)] {
            let value = "Basic " + Base64.encode(Array(credentials.utf8))
            let request = HTTPRequest(.get, "", headers: [("Authorization", value)])
            #expect(try exchange(harness, client(source.port), request).0.status == status, "\(credentials)")
        }
        harness.stop()
    }

    @Test func certificates() throws {
        let pki = try TestCertificates()
        let tls = "tls: {server_cert: \(pki.cert), server_key: \(pki.key), ca_cert: \(pki.ca)}"
        let source = try source("auth_type: mtls\n" + tls)
        let harness = SourceHarness(source)
        for (cert, key, status) in [
            (pki.clientCert, pki.clientKey, 200), (pki.strangerCert, pki.strangerKey, nil), (nil, nil, nil),
        ] as [(String?, String?, Int?)] {
            var endpoint = HTTPEndpoint(baseURL: "https://127.0.0.1:\(source.port)", userAgent: "test/1")
            (endpoint.caPath, endpoint.certPath, endpoint.keyPath) = (pki.ca, cert, key)
            let request = HTTPRequest(.post, "", body: Array("{}".utf8))
            let outcome = try? exchange(harness, HTTPClient(endpoint), request)
            #expect(outcome?.0.status == status, "\(cert ?? "none")")
            if status != nil { #expect(outcome?.1.map(\.text) == ["{}"]) }
        }
        harness.stop()
    }

    @Test func aUnixSocketAndAnAnswerOfOnesOwn() throws {
        let folder = try TemporaryDirectory()
        let source = try source(
            Self.headers + "\ncustom_status_code: 202\ncustom_headers: {X-Done: 'yes'}",
            address: "listen_socket: \(folder.path)/http.sock")
        let harness = SourceHarness(source)
        let client = HTTPClient(HTTPEndpoint(socketPath: folder.path + "/http.sock", userAgent: "test/1"))
        let request = HTTPRequest(.post, "", headers: Self.key, body: Array("{}".utf8))
        let (answer, lines) = try exchange(harness, client, request, events: 1)
        #expect(answer.status == 202 && answer["x-done"] == "yes")
        #expect(lines.map(\.source) == ["127.0.0.1"])
        harness.stop()
    }

    /// A value that has no end does not fill the memory.
    @Test func aValueWithoutEndIsRefused() throws {
        let source = try source(Self.headers)
        let harness = SourceHarness(source)
        let body = Array(("{\"a\":1}[\"" + String(repeating: "x", count: 3 << 20)).utf8)
        let request = HTTPRequest(.post, "", headers: Self.key, body: body)
        let outcome = try? exchange(harness, client(source.port), request, events: 1)
        // Either its answer arrives or the connection is cut while it still sends.
        if let outcome { #expect(outcome.0.status == 413) }
        let (again, lines) = try exchange(
            harness, client(source.port), HTTPRequest(.post, "", headers: Self.key, body: Array("2".utf8)), events: 1)
        #expect(again.status == 200 && lines.last?.text == "2")
        harness.stop()
    }

    @Test func whoSendsNothingIsDisconnected() throws {
        let source = try source(Self.headers + "\ntimeout: 300ms")
        let harness = SourceHarness(source)
        let silent = try Loopback.connection(port: source.port)
        #expect(silent.isClosed(withinSeconds: 5))
        let slow = try Loopback.connection(port: source.port)
        slow.send("POST / HTTP/1.1\r\nHost: x\r\nX-Key: secret\r\nContent-Length: 100\r\n\r\n{")
        #expect(slow.isClosed(withinSeconds: 5))
        harness.stop()
    }

    @Test(arguments: [
        ("", "listen_addr or listen_socket"), ("listen_addr: x\n", "listen_addr 'x'"),
        ("listen_addr: ':8080'\n", "auth_type"), ("listen_addr: ':8080'\nauth_type: none\n", "auth_type 'none'"),
        ("listen_addr: ':8080'\nauth_type: headers\n", "headers"), ("listen_addr: ':8080'\nauth_type: mtls\n", "tls"),
        ("listen_addr: ':8080'\nauth_type: mtls\ntls: {server_cert: a, server_key: b}\n", "ca_cert"),
        ("listen_addr: ':8080'\nauth_type: basic_auth\nbasic_auth: {username: u}\n", "password"),
        ("listen_addr: ':8080'\nauth_type: headers\nheaders: {a: b}\npath: x\n", "path"),
        ("listen_addr: ':8080'\nauth_type: headers\nheaders: {a: b}\ncustom_status_code: 999\n", "999"),
        ("listen_addr: ':8080'\nauth_type: headers\nheaders: {a: b}\nmode: cat\n", "cat"),
        ("listen_addr: ':8080'\nauth_type: headers\nheaders: {a: b}\nfoo: 1\n", "foo"),
    ])
    func refuses(_ yaml: String, reason: String) throws {
        let node = try SourceHarness.yaml("source: http\nlabels: {type: t}\n" + yaml)
        let error = #expect(throws: ConfigError.self) { try HTTPSourceConfig(from: node) }
        #expect("\(try #require(error))".contains(reason), "\(error.map { "\($0)" } ?? "")")
    }
}
