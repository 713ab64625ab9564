import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

@Suite("Syslog streams") struct SyslogFramerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var stream: String
        var messages: [String]
        var isLost = false
    }

    static let cases = [
        Case(testDescription: "lines", stream: "<13>a\n<13>b\n", messages: ["<13>a", "<13>b"]),
        Case(testDescription: "a last line without its end", stream: "<13>a\n<13>b", messages: ["<13>a", "<13>b"]),
        Case(testDescription: "carriage returns stay for the parser", stream: "<13>a\r\n", messages: ["<13>a\r"]),
        Case(testDescription: "empty lines", stream: "\n\n<13>a\n\n", messages: ["<13>a"]),
        Case(testDescription: "counted", stream: "5 <13>a6 <13>bc", messages: ["<13>a", "<13>bc"]),
        Case(
            testDescription: "counted with line feeds between", stream: "5 <13>a\n5 <13>b\r\n",
            messages: ["<13>a", "<13>b"]),
        Case(
            testDescription: "counted with line feeds inside", stream: "7 <13>a\nb5 <13>c",
            messages: ["<13>a\nb", "<13>c"]),
        Case(testDescription: "half a counted message", stream: "5 <13>a9 <13>b", messages: ["<13>a"]),
        Case(
            testDescription: "a line above the limit", stream: "<13>0123456789abcdefg\n<13>b\n",
            messages: ["<13>0123456789ab", "<13>b"]),
        Case(
            testDescription: "counted above the limit", stream: "20 <13>0123456789abcdef5 <13>b",
            messages: ["<13>0123456789ab", "<13>b"]),
        Case(testDescription: "a wrong count", stream: "5 <13>abc5 <13>b", messages: ["<13>a"], isLost: true),
        Case(
            testDescription: "a count beyond reason", stream: "5 <13>a9999999 <13>b", messages: ["<13>a"], isLost: true),
        Case(testDescription: "digits without end", stream: "5 <13>a99999999999", messages: ["<13>a"], isLost: true),
        Case(
            testDescription: "lines that begin with digits", stream: "2026-11-21 x\n12 y\n",
            messages: ["2026-11-21 x", "12 y"]),
        Case(
            testDescription: "binary", stream: "<13>\u{1}\u{0}\u{7F}\n<13>b\n",
            messages: ["<13>\u{1}\u{0}\u{7F}", "<13>b"]),
        Case(testDescription: "nothing", stream: "", messages: []),
        Case(testDescription: "digits only", stream: "123", messages: ["123"]),
    ]

    /// However the stream is cut, the messages are the same.
    @Test(arguments: cases) func cuts(_ one: Case) {
        let bytes = Array(one.stream.utf8)
        var random = SeededRandom(5)
        for round in 0..<40 {
            var framer = SyslogFramer(limit: 16)
            var messages: [String] = []
            var at = 0
            while at < bytes.count {
                let most = round == 0 ? bytes.count : round == 1 ? 1 : Int.random(in: 1...6, using: &random)
                let piece = Array(bytes[at..<min(at + most, bytes.count)])
                at += piece.count
                piece.withUnsafeBufferPointer { buffer in
                    framer.feed(ByteSlice(buffer)) { messages.append(String($0)) }
                }
            }
            framer.finish { messages.append(String($0)) }
            #expect(messages == one.messages)
            #expect(framer.isLost == one.isLost)
        }
    }
}

@Suite("Syslog over TCP and TLS") struct SyslogStreamTests {
    private func source(_ yaml: String, port: Int, _ metrics: Metrics = Metrics()) throws -> SyslogSource {
        let node = try SourceHarness.yaml(
            "source: syslog\nlisten_port: \(port)\nlabels: {type: syslog}\nmax_message_len: 200\n\(yaml)\n")
        return SyslogSource(
            try SyslogSourceConfig(from: node), AcquisitionContext(metrics: metrics, log: SourceHarness.log))
    }

    private func message(_ text: String) -> String { "<13>Nov 21 15:04:05 h t: \(text)" }
    private func line(_ text: String) -> String { "Nov 21 15:04:05 h t: \(text)" }

    @Test func takesManyConnectionsOfEitherFraming() throws {
        let port = try SourceHarness.freePort()
        let metrics = Metrics()
        let harness = SourceHarness(try source("protocol: tcp", port: port, metrics))
        var open: [Connection] = []
        for number in 0..<40 {
            let text = message("m\(number)")
            let connection = try Loopback.connection(port: port)
            let framed = number % 2 == 0 ? "\(text)\n" : "\(text.utf8.count) \(text)"
            // In two pieces, and the connection stays open.
            let middle = framed.index(framed.startIndex, offsetBy: number % framed.count)
            for piece in [framed[..<middle], framed[middle...]] where !piece.isEmpty { connection.send(String(piece)) }
            open.append(connection)
        }
        let lines = harness.take(40)
        #expect(lines.map(\.text).sorted() == (0..<40).map { line("m\($0)") }.sorted())
        #expect(lines.allSatisfy { $0.source == "127.0.0.1" })
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(text.contains("cs_syslogsource_hits_total{source=\"127.0.0.1\"") && text.contains("} 40"))
        #expect(harness.stop() == [])
    }

    /// What was sent before the connection was closed, and before the agent stopped, is not lost.
    @Test func whatArrivedIsTaken() throws {
        let port = try SourceHarness.freePort()
        let harness = SourceHarness(try source("protocol: tcp", port: port))
        let count = 5_000
        do {
            let connection = try Loopback.connection(port: port)
            connection.send((0..<count).map { message("m\($0)") + "\n" }.joined() + message("last"))
        }
        let seen = harness.texts(10)
        let rest = harness.stop()
        #expect(seen + rest == (0..<count).map { line("m\($0)") } + [line("last")])
    }

    /// A queue that is full holds back the sender; nothing is dropped.
    @Test func senderWaits() throws {
        let port = try SourceHarness.freePort()
        let metrics = Metrics()
        let harness = SourceHarness(
            try source("protocol: tcp", port: port, metrics), queue: LineQueue(maxBytes: 1_000, maxBatches: 2))
        let count = 20_000
        let connection = try Loopback.connection(port: port)
        let sending = Completion<Bool>()
        PlainThread.start("sender") { [self] in
            connection.send((0..<count).map { message("m\($0)") + "\n" }.joined())
            sending.set(true)
        }
        usleep(300_000)
        #expect(harness.texts(count) == (0..<count).map { line("m\($0)") })
        #expect(sending.wait())
        #expect(
            !String(decoding: metrics.exposition(), as: UTF8.self).contains(
                "cs_lines_dropped_total{source=\"syslog\",acquis_type=\"syslog\"} 1"))
        harness.stop()
    }

    @Test func aStreamThatMakesNoSenseIsClosedAndTheOthersGoOn() throws {
        let port = try SourceHarness.freePort()
        let harness = SourceHarness(try source("protocol: tcp", port: port))
        let good = try Loopback.connection(port: port)
        let bad = try Loopback.connection(port: port)
        bad.send("5 <13>axyz")
        #expect(bad.isClosed(withinSeconds: 5))
        good.send(message("still here") + "\n")
        #expect(harness.texts(1) == [line("still here")])
        harness.stop()
    }

    @Test func tlsWithAndWithoutClientCertificate() throws {
        let pki = try TestCertificates()
        for (ca, certificate, isTaken) in [
            ("", "", true), ("ca_cert: \(pki.ca)", "", false),
            ("ca_cert: \(pki.ca)", "-cert \(pki.clientCert) -key \(pki.clientKey)", true),
            ("ca_cert: \(pki.ca)", "-cert \(pki.strangerCert) -key \(pki.strangerKey)", false),
        ] {
            let port = try SourceHarness.freePort()
            let tls = "tls:\n  server_cert: \(pki.cert)\n  server_key: \(pki.key)\n  \(ca)"
            let harness = SourceHarness(try source("protocol: tls\n" + tls, port: port))
            let text = message("over tls")
            try pki.directory.write("message", "\(text)\n")
            let line =
                "openssl s_client -connect 127.0.0.1:\(port) -CAfile \(pki.ca) -verify_return_error -quiet -no_ign_eof \(certificate)"
            _ = try Command.run(["sh", "-c", "(cat \(pki.directory.path)/message; sleep 1) | \(line)"])
            let lines = harness.texts(1, seconds: isTaken ? 5 : 1)
            #expect(lines == (isTaken ? [self.line("over tls")] : []), "\(ca) \(certificate)")
            harness.stop()
        }
    }

    @Test func aFileThatIsNoCertificateIsAnError() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("x.pem", "no certificate\n")
        let source = try source("protocol: tls\ntls: {server_cert: \(path), server_key: \(path)}", port: 1)
        let error = #expect(throws: ConfigError.self) { try source.run(into: LineQueue(), until: StopFlag()) }
        #expect("\(try #require(error))".contains(path))
    }

    @Test func aPortThatIsTakenIsAnError() throws {
        let port = try SourceHarness.freePort()
        let harness = SourceHarness(try source("protocol: tcp", port: port))
        let other = try source("protocol: tcp", port: port)
        let error = #expect(throws: ConfigError.self) { try other.run(into: LineQueue(), until: StopFlag()) }
        #expect("\(try #require(error))".contains("listen tcp 127.0.0.1:\(port): bind: "))
        harness.stop()
    }
}
