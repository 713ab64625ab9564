import CrowdCore
import CrowdTestSupport
import Glibc
import Logging
import Synchronization
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

@Suite("Syslog messages") struct SyslogMessageTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var message: String
        /// The rebuilt line and the format; nil for what is refused.
        var line: String?
        var format = SyslogMessage.Format.rfc3164
        var testDescription: String { String(message.prefix(60)) }
    }

    @Test(arguments: [
        Case(
            message: "<38>Nov 21 15:04:05 edge01 sshd[4242]: Failed password for root from 192.0.2.1 port 1 ssh2",
            line: "Nov 21 15:04:05 edge01 sshd[4242]: Failed password for root from 192.0.2.1 port 1 ssh2"),
        Case(message: "<38>Nov  1 05:04:05 h cron: x", line: "Nov  1 05:04:05 h cron: x"),
        Case(message: "<38>Nov 1 05:04:05 h cron: x\n", line: "Nov  1 05:04:05 h cron: x"),
        Case(message: "<38>Nov 21 2024 15:04:05 h t: x", line: "Nov 21 15:04:05 h t: x"),
        Case(message: "<13>Nov 21 15:04:05 tag: no host", line: "Nov 21 15:04:05 unknownhost tag: no host"),
        Case(message: "<13>2026-11-21T15:04:05+01:00 h app[1]: iso", line: "Nov 21 15:04:05 h app[1]: iso"),
        Case(message: "<13>Nov 21 15:04:05 h no tag here", line: "Nov 21 15:04:05 h : no tag here"),
        Case(
            message: #"<165>1 2026-08-24T05:14:15.000003-07:00 host app 8710 ID47 [x@1 a="]\"" b="2"][y@1] it's"#,
            line: "Aug 24 05:14:15 host app[8710]: it's", format: .rfc5424),
        Case(
            message: "<34>1 2026-10-11T22:14:15.003Z h su - ID47 - \u{FEFF}'su root' failed",
            line: "Oct 11 22:14:15 h su: 'su root' failed", format: .rfc5424),
        Case(message: "<34>1 2026-10-11T22:14:15Z - - - - -", line: "Oct 11 22:14:15 unknownhost : ", format: .rfc5424),
        Case(message: "no priority"), Case(message: "<999>Nov 21 15:04:05 h t: x"), Case(message: ""),
        Case(message: "<13>"), Case(message: "<13>Foo 21 15:04:05 h t: x"), Case(message: "<13>Nov 41 15:04:05 h t: x"),
        Case(message: "<13>Nov 21 25:04:05 h t: x"), Case(message: "<34>1 2026-10-11T22:14:15Z h su - ID [open"),
    ])
    func isRebuilt(_ one: Case) {
        var text = one.message
        text.withUTF8 { bytes in
            let message = SyslogMessage(ByteSlice(bytes))
            #expect(message.map(rebuilt) == one.line)
            if let message { #expect(message.format == one.format) }
        }
    }

    private func rebuilt(_ message: SyslogMessage) -> String {
        var line: [UInt8] = []
        message.write(to: &line, now: .now())
        return String(decoding: line, as: UTF8.self)
    }

    @Test func anyBytesAreTakenOrRefused() {
        var random = SeededRandom(7)
        let seed = Array("<34>1 2026-10-11T22:14:15Z h su[1]: - ID [a b=\"c\\\"] Nov 21 15:04:05 x".utf8)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0..<80, using: &random)).map { _ in seed.randomElement(using: &random) ?? 0
            }
            if Bool.random(using: &random) { bytes = Array(seed.prefix(10)) + bytes }
            bytes.withUnsafeBufferPointer { _ = SyslogMessage(ByteSlice($0)).map(rebuilt) }
        }
    }

    @Test(arguments: [
        ("listen_port: 70000\n", "invalid port 70000"), ("listen_addr: nowhere\n", "invalid listen IP nowhere"),
        ("protocol: sctp\n", "unsupported protocol sctp"), ("protocol: tls\n", "missing required field tls"),
        ("tls: {server_cert: a, server_key: b}\n", "protocol is udp"),
        ("protocol: tls\ntls: {server_cert: a}\n", "server_key"), ("foo: 1\n", "foo"), ("mode: cat\n", "cat"),
    ])
    func refuses(_ yaml: String, reason: String) throws {
        let node = try #require(
            try YAML.document(Array(("source: syslog\nlabels: {type: syslog}\n" + yaml).utf8), file: "a.yaml"))
        let error = #expect(throws: ConfigError.self) { try SyslogSourceConfig(from: node) }
        #expect("\(try #require(error))".contains(reason))
    }

    @Test func takesDatagrams() throws {
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let metrics = Metrics()
        let port = try SourceHarness.freePort(SOCK_DGRAM)
        let node = try #require(
            try YAML.document(
                Array("source: syslog\nlisten_port: \(port)\nlabels: {type: syslog}\nmax_message_len: 60\n".utf8),
                file: "a"))
        let source = SyslogSource(try SyslogSourceConfig(from: node), AcquisitionContext(metrics: metrics, log: log))
        let queue = LineQueue()
        let supervisor = SourceSupervisor([source], into: queue, log: log)
        supervisor.start {}
        supervisor.waitUntilBegun(milliseconds: 5_000)
        let sender = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(sender) }
        for text in [
            "<13>Nov 21 15:04:05 h t: one", "garbage", "<13>Nov 21 15:04:05 h t: " + String(repeating: "x", count: 90),
        ] {
            let bytes = Array(text.utf8)
            let sent = SocketAddress.with(try #require(IPAddress("127.0.0.1")), port: port) { address, length in
                sendto(sender, bytes, bytes.count, 0, address, length)
            }
            #expect(sent == bytes.count)
        }
        var lines: [String] = []
        var origins: Set<String> = []
        for _ in 0..<100 where lines.count < 2 {
            guard case .batch(let batch) = queue.take(within: 100) else { continue }
            origins.insert(String(batch.origin.source))
            #expect(batch.place == .none)
            batch.withEachLine { lines.append(String($0)) }
        }
        supervisor.stop.set()
        #expect(lines == ["Nov 21 15:04:05 h t: one", "Nov 21 15:04:05 h t: " + String(repeating: "x", count: 35)])
        #expect(origins == ["127.0.0.1"])
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(text.contains("cs_syslogsource_hits_total{"))
        #expect(text.contains("} 3"), "\(text)")
        let parsed = text.split(separator: "\n").filter { $0.contains("rfc3164") }
        #expect(parsed.count == 1 && parsed.allSatisfy { $0.hasSuffix("} 2") }, "\(text)")
    }
}

/// Datagrams are taken many at a time: whatever they hold, each is one line of its own sender's, in order.
@Suite("Syslog datagrams") struct SyslogDatagramTests {
    private func source(_ port: Int, _ metrics: Metrics, _ more: String = "") throws -> SyslogSource {
        let yaml = "source: syslog\nlisten_addr: 127.0.0.1\nlisten_port: \(port)\nlabels: {type: syslog}\n" + more
        let node = try #require(try YAML.document(Array(yaml.utf8), file: "a"))
        return SyslogSource(
            try SyslogSourceConfig(from: node), AcquisitionContext(metrics: metrics, log: SourceHarness.log))
    }

    private func send(_ messages: [[UInt8]], from address: String, to port: Int) throws {
        let sender = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(sender) }
        let bound = SocketAddress.with(try #require(IPAddress(address))) { bind(sender, $0, $1) }
        #expect(bound == 0)
        for bytes in messages {
            let sent = SocketAddress.with(try #require(IPAddress("127.0.0.1")), port: port) {
                sendto(sender, bytes, bytes.count, 0, $0, $1)
            }
            #expect(sent == bytes.count)
        }
    }

    @Test func burstsOfManySendersKeepTheirOrder() throws {
        let port = try SourceHarness.freePort(SOCK_DGRAM)
        let harness = SourceHarness(try source(port, Metrics()))
        var expected: [String: [String]] = [:]
        for round in 0..<3 {
            for sender in 1...5 {
                let texts = (0..<150).map { "Nov 21 15:04:05 h t: \(sender) \(round) \($0)" }
                try send(texts.map { Array("<13>\($0)".utf8) }, from: "127.0.0.\(sender)", to: port)
                expected["127.0.0.\(sender)", default: []] += texts
            }
        }
        var found: [String: [String]] = [:]
        for line in harness.take(3 * 5 * 150) { found[line.source, default: []].append(line.text) }
        harness.stop()
        #expect(found == expected)
    }

    @Test func emptyBinaryAndOversizedOnesCostNoOther() throws {
        let port = try SourceHarness.freePort(SOCK_DGRAM)
        let metrics = Metrics()
        let harness = SourceHarness(try source(port, metrics, "max_message_len: 40\n"))
        let head = "<13>Nov 21 15:04:05 h t: "
        let hostile: [[UInt8]] = [
            [], [0], Array(repeating: 0xFF, count: 500), Array("<13>".utf8), Array("<999>x".utf8), Array("\n\n\n".utf8),
            Array("<13>1 - - - - - - ".utf8), (0..<65_000).map { UInt8(truncatingIfNeeded: $0) },
        ]
        for (number, bytes) in hostile.enumerated() {
            try send([bytes, Array("\(head)after \(number)".utf8)], from: "127.0.0.1", to: port)
        }
        try send([Array((head + "two\nlines\r\u{0}\u{1B}[2J").utf8)], from: "127.0.0.1", to: port)
        let last = "Nov 21 15:04:05 h t: " + String(repeating: "x", count: 15)
        try send([Array((head + String(repeating: "x", count: 60_000)).utf8)], from: "127.0.0.1", to: port)
        var lines: [String] = []
        for _ in 0..<200 where lines.last != last { lines += harness.texts(1, seconds: 1) }
        harness.stop()
        let sane = lines.filter { $0.contains(" after ") }
        #expect(sane == hostile.indices.map { "Nov 21 15:04:05 h t: after \($0)" })
        #expect(lines.contains { $0.hasPrefix("Nov 21 15:04:05 h t: two lines ") })
        #expect(lines.last == last, "cut off at the limit")
        #expect(lines.allSatisfy { !$0.utf8.contains(10) && !$0.utf8.contains(13) && $0.utf8.count <= 200 })
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(text.contains("cs_syslogsource_hits_total{"), "\(text)")
    }
}
