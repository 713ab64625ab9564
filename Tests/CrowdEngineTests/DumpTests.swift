import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdEngine

/// What `-dump-data` writes, as CrowdSec's tools read it.
@Suite("Dumps") struct DumpTests {
    private static let trigger = """
        type: trigger
        name: test/trigger
        description: one is enough
        filter: evt.Meta.user == 'eve'
        groupby: evt.Meta.source_ip
        labels: {remediation: true}
        """

    private static let hint = """
        name: test/hint
        filter: evt.Meta.user == 'eve'
        statics:
          - {parsed: odd, value: "12:30"}
        """

    /// The agent's engine over these lines, with the time they were read at replaced by a word.
    private func dump(
        _ lines: [[UInt8]], scenarios: [String] = [], _ part: (DumpFiles) -> [UInt8]
    ) throws -> String {
        let harness = try EngineHarness(
            parsers: [("s01-parse", EngineHarness.plainParser), ("s01-parse", Self.hint)], scenarios: scenarios
        ) { $0.usesIndex = false }
        let recorder = Recorder()
        let worker = Worker(harness.content, observer: harness, recorder: recorder)
        let origin = LineOrigin(source: "a b.log", module: "file", labels: [("type", "plain")], isReplay: true)
        for line in lines {
            line.withUnsafeBufferPointer { worker.process(ByteSlice($0), from: origin, at: Timestamp(seconds: 1)) }
        }
        return String(decoding: part(DumpFiles(recorder)), as: UTF8.self)
    }

    private static let line = "user=eve ip=192.0.2.1 at=2026-06-01T12:00:00Z"
    /// The event as it reaches the scenarios, without its last member.
    private static let event = """
        ExpectMode: 1
        Stage: s01-parse
        Line:
          Raw: user=eve ip=192.0.2.1 at=2026-06-01T12:00:00Z
          Src: a b.log
          time: 1970-01-01T00:00:01Z
          Labels:
            type: plain
          process: true
          Module: file
        Parsed:
          at: "2026-06-01T12:00:00Z"
          ip: "192.0.2.1"
          "n": ""
          odd: "12:30"
          user: eve
        Enriched:
          MarshaledTime: "2026-06-01T12:00:00Z"
        Time: 2026-06-01T12:00:00Z
        StrTime: "2026-06-01T12:00:00Z"
        MarshaledTime: "2026-06-01T12:00:00Z"
        Process: true
        Meta:
          log_type: test
          source_ip: "192.0.2.1"
          user: eve
        """

    private func indented(_ text: String, by count: Int, first: String) -> String {
        let lines = text.split(separator: "\n").map { String(repeating: " ", count: count) + $0 }.joined(
            separator: "\n")
        return first + lines.dropFirst(first.count) + "\n"
    }

    @Test func whatNodesDid() throws {
        let dump = try dump([Array(Self.line.utf8)], scenarios: [Self.trigger], \.parsers)
        let before = Self.event.replacing("  odd: \"12:30\"\n", with: "").replacing("Process: true\n", with: "")
        let after = Self.event.replacing("Process: true\n", with: "")
        #expect(
            dump == "s01-parse:\n  test/hint:\n  - idx: 2\n    evt:\n" + indented(after, by: 6, first: "")
                + "    success: true\n  test/plain:\n  - idx: 1\n    evt:\n" + indented(before, by: 6, first: "")
                + "    success: true\nsuccess:\n  \"\": []\n")
    }

    @Test func whatScenariosTook() throws {
        let dump = try dump([Array(Self.line.utf8)], scenarios: [Self.trigger], \.pours)
        let event = indented(Self.event, by: 2, first: "- ")
        #expect(dump == "OK:\n\(event)test/trigger:\n\(event)")
    }

    @Test func whatOverflowed() throws {
        let dump = try dump([Array(Self.line.utf8)], scenarios: [Self.trigger], \.overflows)
        let source = """
                    asname: ""
                    asnumber: ""
                    cn: ""
                    ip: "192.0.2.1"
                    range: ""
                    latitude: 0
                    longitude: 0
                    scope: Ip
                    value: "192.0.2.1"

            """
        #expect(dump.hasPrefix("- Type: 1\n  Overflow:\n    Sources:\n      \"192.0.2.1\":\n" + source))
        for line in [
            "    Alert:\n      capacity: 0\n      createdat: \"\"\n      decisions: []\n      events:\n      - meta:\n",
            "        - key: log_type\n          value: test\n        - key: source_ip\n          value: \"192.0.2.1\"\n",
            "      eventscount: 1\n", "      remediation: true\n      scenario: test/trigger\n",
            "        timestamp: \"2026-06-01T12:00:00Z\"\n", "    APIAlerts:\n    - capacity: 0\n",
        ] {
            #expect(dump.contains(line), "\(line)\nis not in\n\(dump)")
        }
        #expect(dump.hasSuffix("  MarshaledTime: \"2026-06-01T12:00:00Z\"\n"))
    }

    @Test func nothingHappened() throws {
        #expect(try dump([], \.parsers) == "success:\n  \"\": []\n")
        #expect(try dump([], \.overflows) == "[]\n")
        #expect(try dump([], \.pours) == "{}\n")
    }

    /// Readers tell lines apart by the time they were read.
    @Test func noTwoLinesHaveOneTime() throws {
        let dump = try dump([Array(Self.line.utf8), Array(Self.line.utf8)], scenarios: [Self.trigger], \.pours)
        #expect(
            dump.contains("time: 1970-01-01T00:00:01Z\n") && dump.contains("time: 1970-01-01T00:00:01.000000001Z\n"))
    }

    @Test func bytesThatAreNoTextKeepTheirValues() throws {
        let dump = try dump([Array("caf\u{e9} ".utf8) + [0xff]], \.parsers)
        #expect(dump.contains("Raw: !!binary Y2Fmw6kg/w==\n"), "\(dump)")
    }

    @Test(arguments: [
        ("plain", "plain"), ("with space", "with space"), ("", "\"\""), ("12", "\"12\""), ("1.5e3", "\"1.5e3\""),
        ("2026-06-01", "\"2026-06-01\""), ("12:30:45", "\"12:30:45\""), ("yes", "\"yes\""), ("~", "\"~\""),
        ("null", "\"null\""), ("=", "\"=\""), ("<<", "\"<<\""), ("a: b", "\"a: b\""), ("a #b", "\"a #b\""),
        ("- x", "\"- x\""), ("-", "\"-\""), ("[x]", "\"[x]\""), ("tab\there", "\"tab\\there\""),
        ("quote\"d", "quote\"d"), ("é", "é"), ("nel\u{85}", "\"nel\\u0085\""), ("ls\u{2028}", "\"ls\\u2028\""),
        ("\u{feff}bom", "\"\\ufeffbom\""), ("x:", "\"x:\""), ("trailing ", "\"trailing \""), ("&a", "\"&a\""),
        ("0x1f", "\"0x1f\""), (".inf", "\".inf\""), ("+1", "\"+1\""), ("!!binary x", "\"!!binary x\""),
    ])
    func textsReadBackAsTexts(text: String, expected: String) {
        #expect(YAMLNode.scalarText(text) == expected)
    }
}
