import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdEngine

@Suite("Parsers") struct PipelineTests {
    /// What a trigger on everything sees of one line: its Meta.
    private func meta(_ parsers: [(stage: String, text: String)], _ line: String) throws -> [String: String]? {
        let all =
            "name: test/all\ndescription: d\ntype: trigger\nfilter: 'true'\nscope: {type: any, expression: \"'x'\"}\n"
        let harness = try EngineHarness(parsers: parsers, scenarios: [all])
        #expect(harness.content.refused == [])
        harness.run([line])
        guard let event = harness.alerts.first?.events.first else { return nil }
        return Dictionary(uniqueKeysWithValues: (event.meta ?? []).map { ($0.key, $0.value) })
    }

    private static let time = """

          - {method: ParseDate, expression: "'2026-06-01T12:00:00Z'"}
          - {target: MarshaledTime, expression: evt.Enriched.MarshaledTime}
        """

    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var node: String
        var line = "hello world"
        /// nil: the line is not parsed.
        var meta: [String: String]?
    }

    @Test(arguments: [
        Case(
            testDescription: "statics see the ones before",
            node: "statics:\n  - {meta: a, value: x}\n  - {meta: b, expression: evt.Meta.a + 'y'}",
            meta: ["a": "x", "b": "xy"]),
        Case(
            testDescription: "numbers become text",
            node: "statics:\n  - {meta: i, expression: 1 + 2}\n  - {meta: f, expression: 1 / 4}",
            meta: ["i": "3", "f": "0.250000"]),
        Case(
            testDescription: "an empty value is no value",
            node: "statics:\n  - {meta: a, value: x}\n  - {meta: b, expression: evt.Parsed.nothing}", meta: ["a": "x"]),
        Case(
            testDescription: "a run-time error skips the static only",
            node: "statics:\n  - {meta: a, expression: string(int('x'))}\n  - {meta: b, value: y}", meta: ["b": "y"]),
        Case(
            testDescription: "a bool aborts the event",
            node: "statics:\n  - {meta: b, value: y}\n  - {meta: a, expression: 1 == 1}", meta: nil),
        Case(
            testDescription: "a grok that fails is no success",
            node: "grok: {pattern: '^%{INT:n}$', apply_on: Line.Raw}\nstatics:\n  - {meta: a, value: x}", meta: nil),
        Case(
            testDescription: "groups that took no part are empty",
            node:
                "grok: {pattern: '^%{WORD:w}( %{INT:n})?', apply_on: Line.Raw}\nstatics:\n  - {meta: w, expression: evt.Parsed.w}\n  - {meta: n, expression: \"evt.Parsed.n == '' ? 'empty' : 'set'\"}",
            meta: ["w": "hello", "n": "empty"]),
        Case(
            testDescription: "a child saves a node whose grok failed",
            node:
                "grok: {pattern: '^%{INT:n}$', apply_on: Line.Raw}\nnodes:\n  - grok: {pattern: '^%{WORD:w}', apply_on: Line.Raw}\nstatics:\n  - {meta: w, expression: evt.Parsed.w}",
            meta: ["w": "hello"]),
        Case(
            testDescription: "without next_stage the last child decides",
            node:
                "nodes:\n  - grok: {pattern: '^%{WORD:w}', apply_on: Line.Raw}\n  - grok: {pattern: '^%{INT:n}$', apply_on: Line.Raw}\nstatics:\n  - {meta: w, value: x}",
            meta: nil),
        Case(
            testDescription: "with it the first success does",
            node:
                "onsuccess: next_stage\nnodes:\n  - grok: {pattern: '^%{WORD:w}', apply_on: Line.Raw}\n  - grok: {pattern: '^%{INT:n}$', apply_on: Line.Raw}\nstatics:\n  - {meta: w, expression: evt.Parsed.w}",
            meta: ["w": "hello"]),
        Case(
            testDescription: "a filter that is false leaves the node out",
            node: "filter: evt.Line.Raw contains 'absent'\nstatics:\n  - {meta: a, value: x}", meta: nil),
        Case(
            testDescription: "JSON members keep their kinds",
            node:
                "statics:\n  - {parsed: done, expression: \"UnmarshalJSON(evt.Line.Raw, evt.Unmarshaled, 'j') == nil ? 'yes' : 'no'\"}\n  - {meta: n, expression: evt.Unmarshaled.j.n}\n  - {meta: s, expression: evt.Unmarshaled.j.s}",
            line: #"{"n": 443, "s": "a\u00e9"}"#, meta: ["n": "443.000000", "s": "aé"]),
        Case(
            testDescription: "the label decides",
            node:
                "filter: evt.Line.Labels.type == 'syslog'\nstatics:\n  - {meta: module, expression: evt.Line.Module}\n  - {meta: source, expression: evt.Line.Src}",
            meta: ["module": "file", "source": "test.log"]),
    ])
    func nodes(_ one: Case) throws {
        let dated = one.node.hasSuffix("]") ? one.node : one.node + PipelineTests.time
        let found = try meta([("s00-raw", "name: test/n\n" + dated)], one.line)
        #expect(found == one.meta)
    }

    @Test func whitelistedLinesAreNotPoured() throws {
        let whitelist = """
            name: test/wl
            whitelist: {reason: ours, ip: [192.0.2.9], cidr: [198.51.100.0/24], expression: ["evt.Meta.user == 'admin'"]}
            """
        let all = "name: test/all\ndescription: d\ntype: trigger\nfilter: 'true'\n"
        let harness = try EngineHarness(
            parsers: [("s01-parse", EngineHarness.plainParser), ("s01-parse", whitelist)], scenarios: [all])
        harness.run([
            EngineHarness.line("192.0.2.9", 0), EngineHarness.line("198.51.100.77", 0),
            EngineHarness.line("192.0.2.1", 0, user: "admin"), EngineHarness.line("192.0.2.1", 0, user: "root"),
        ])
        #expect(harness.worker?.counts.whitelisted == 3)
        #expect(harness.alerts.map(\.source.value) == ["192.0.2.1"])
    }

    @Test func postoverflowsMayIgnoreOrChangeAnOverflow() throws {
        let all = "name: test/all\ndescription: d\ntype: trigger\nfilter: 'true'\n"
        let change =
            "name: test/po\nstatics:\n  - {target: evt.Overflow.Alert.Source.Value, expression: \"evt.Overflow.Alert.Source.IP + '/32'\"}\n"
        let ignore = "name: test/wl\nwhitelist: {reason: friend, ip: [192.0.2.2]}\n"
        let harness = try EngineHarness(scenarios: [all], postoverflows: [change, ignore])
        #expect(harness.content.refused == [])
        harness.run([EngineHarness.line("192.0.2.1", 0), EngineHarness.line("192.0.2.2", 0)])
        #expect(harness.alerts.map(\.source.value) == ["192.0.2.1/32"])
        #expect(harness.ignored == ["friend"])
    }

    /// An item that is wrong is left out with its place; the others work.
    @Test(arguments: [
        ("name: test/x\nfilterr: 'true'\nstatics: [{meta: a, value: b}]\n", "2:1", "filterr"),
        ("name: test/x\nfilter: evt.Foo == 'x'\nstatics: [{meta: a, value: b}]\n", "2:9", "Foo"),
        ("name: test/x\nfilter: evt.Meta.x == 200\nstatics: [{meta: a, value: b}]\n", "2:9", "mismatched types"),
        ("name: test/x\ngrok: {pattern: '%{NOPE:a}', apply_on: message}\n", "2:7", "NOPE"),
        ("name: test/x\ngrok: {pattern: '[a', apply_on: message}\n", "2:7", "missing closing ]"),
        ("name: test/x\n", "1:1", "Node is empty"),
        ("name: test/x\nonsuccess: maybe\nstatics: [{meta: a, value: b}]\n", "2:12", "maybe"),
        ("name: test/x\nwhitelist: {reason: r, ip: [1.2.3]}\n", "2:29", "1.2.3"),
        ("name: test/x\nstatics: [\n", "", ""),
    ])
    func aWrongItemIsLeftOut(_ text: String, place: String, word: String) throws {
        let harness = try EngineHarness(parsers: [("s01-parse", EngineHarness.plainParser), ("s01-parse", text)])
        let error = try #require(harness.content.refused.first)
        #expect("\(error)".contains("parsers/s01-parse/1.yaml"))
        #expect("\(error)".contains(place) && "\(error)".contains(word), "\(error)")
        harness.run([EngineHarness.line("192.0.2.1", 0)])
        #expect(harness.worker?.counts.parsed == 1)
    }

    @Test func theIndexChangesNothing() throws {
        let parsers: [(stage: String, text: String)] = [
            (
                "s00-raw",
                "name: a\nonsuccess: next_stage\nstatics:\n  - {parsed: program, expression: \"Split(evt.Line.Raw, ' ')[0]\"}\n  - {parsed: message, expression: evt.Line.Raw}"
            ),
            (
                "s01-parse",
                "name: b\nfilter: evt.Parsed.program == 'one'\nstatics:\n  - {parsed: program, value: two}\n  - {meta: b, value: x}"
            ),
            ("s01-parse", "name: c\nfilter: evt.Parsed.program in ['two', 'three']\nstatics: [{meta: c, value: x}]"),
            (
                "s01-parse",
                "name: d\nfilter: evt.Parsed.program == 'one' || evt.Parsed.program == 'four'\nstatics: [{meta: d, value: x}]"
            ),
            ("s01-parse", "name: e\nfilter: evt.Parsed.program startsWith 'o'\nstatics: [{meta: e, value: x}]"),
        ]
        let lines = ["one x", "two x", "three x", "four x", "other x", "", "one"]
        func parsed(_ indexed: Bool) throws -> [[Int]] {
            let harness = try EngineHarness(parsers: parsers) { $0.usesIndex = indexed }
            return lines.map { line in
                harness.run([line])
                return harness.worker?.nodeCounts.map(\.ok) ?? []
            }
        }
        let (with, without) = (try parsed(true), try parsed(false))
        #expect(with == without)
    }

    @Test func hostileLinesAreSurvived() throws {
        let harness = try EngineHarness()
        let long = String(repeating: "a", count: 1 << 20)
        harness.run([long, "ip=\u{0} at=x", "ip=1.2.3.4 at=" + long, String(repeating: "ip=", count: 10_000)])
        harness.run([EngineHarness.line("192.0.2.1", 0)])
        #expect(harness.worker?.counts.read == 5)
        #expect((harness.worker?.counts.parsed ?? 0) >= 1)
    }
}

@Suite("Dates of lines") struct DateTests {
    private static let year = Timestamp.now().civil.year

    @Test(arguments: [
        ("2026-11-21T08:17:29Z", "2026-11-21T08:17:29Z"),
        ("2026-11-21T08:17:29.5+02:00", "2026-11-21T08:17:29.5+02:00"),
        ("02/Jan/2006:15:04:05 -0700", "2006-01-02T15:04:05-07:00"),
        ("Mon Jan 2 15:04:05 2006", "2006-01-02T15:04:05Z"),
        ("01/02/2006 15:04:05", "2006-01-02T15:04:05Z"), ("2006-01-02 15:04:05", "2006-01-02T15:04:05Z"),
        ("2006-01-02 15:04:05,123", "2006-01-02T15:04:05.123Z"), ("2006/01/02", "2006-01-02T00:00:00Z"),
        ("2006-01-02T15:04:05", "2006-01-02T15:04:05Z"), ("1646861401.5", "2022-03-09T21:30:01Z"),
        ("Jan  2 15:04:05", "\(year)-01-02T15:04:05Z"), ("Feb 12 15:04:05", "\(year)-02-12T15:04:05Z"),
        ("jan 2 15:04:05", "\(year)-01-02T15:04:05Z"),
    ])
    func parses(_ text: String, expected: String) throws {
        let keys = KeyTable()
        let event = Event(keys: keys)
        let enricher = try #require(DateEnricher(keys: keys))
        event.isReplay = true
        enricher.enrich(event.arena.copy(text), event)
        #expect(event.enriched[try #require(keys.find("MarshaledTime"))].description == expected)
        #expect(event.time == Timestamp(rfc3339: expected))
    }

    /// A date that was read before is not read again, unless a layout says that it means something else.
    @Test func remembersDates() throws {
        let keys = KeyTable()
        let event = Event(keys: keys)
        event.isReplay = true
        let enricher = try #require(DateEnricher(keys: keys))
        let rows = [
            ("2026-03-04", "", "2026-03-04T00:00:00Z"), ("2026-03-04", "", "2026-03-04T00:00:00Z"),
            ("2026-03-04", "2006-02-01", "2026-04-03T00:00:00Z"), ("2026-03-04", "", "2026-03-04T00:00:00Z"),
            ("2026-03-05", "", "2026-03-05T00:00:00Z"), ("2026-03-04", "", "2026-03-04T00:00:00Z"),
        ]
        for (text, layout, expected) in rows {
            event.reset()
            event.isReplay = true
            event.strTimeFormat = event.arena.copy(layout)
            enricher.enrich(event.arena.copy(text), event)
            #expect(event.enriched[try #require(keys.find("MarshaledTime"))].description == expected)
            #expect(event.time == Timestamp(rfc3339: expected))
        }
    }

    @Test(arguments: ["", "yesterday", "2006-13-01", "99/Jan/2006:15:04:05 -0700", "-5", "0"])
    func whatIsNoDateIsNow(_ text: String) throws {
        let keys = KeyTable()
        let event = Event(keys: keys)
        event.isReplay = true
        try #require(DateEnricher(keys: keys)).enrich(event.arena.copy(text), event)
        #expect(event.time.nanoseconds == 0)
        let written = Timestamp(rfc3339: event.enriched[try #require(keys.find("MarshaledTime"))].description)
        #expect(Timestamp.now() - (try #require(written)) < .seconds(60))
    }

    /// Who writes a log may write any date into it.
    @Test func datesBeyondAllRange() throws {
        let spread = """
            type: leaky
            name: test/spread
            filter: "true"
            capacity: 2
            leakspeed: 10s
            groupby: evt.Meta.source_ip
            overflow_filter: MedianInterval(map(queue.Queue, {#.Time})) != AverageInterval(map(queue.Queue, {#.Time}))
            """
        for isReplay in [true, false] {
            let harness = try EngineHarness(scenarios: [spread], isReplay: isReplay)
            for year in ["1010", "9999", "0001", "2026", "1677", "2262"] {
                harness.run(["ip=192.0.2.1 at=\(year)-03-03T19:51:53Z", "ip=192.0.2.1 at=\(year)-12-31T23:59:59+14:00"])
            }
            #expect(harness.worker?.counts.parsed == 12)
            #expect(harness.failures.isEmpty)
        }
    }
}
