import CrowdCore
import CrowdTestSupport
import CrowdText
import Testing

@Suite("Groks") struct GrokTests {
    private static let library: GrokLibrary = {
        var library = GrokLibrary()
        _ = library.register(
            lines: "WORD \\w+\nINT [+-]?\\d+\nPAIR %{WORD:key}=%{WORD:value}\nLATER %{EARLIER}\nEARLIER x\n")
        return library
    }()

    struct Match: CustomTestStringConvertible, Sendable {
        var grok: String
        var text: String
        /// nil: no match.
        var fields: [String: String]?
        var testDescription: String { "\(grok) on \(text)" }
    }

    @Test(arguments: [
        Match(grok: "%{WORD:a} %{INT:b}", text: "port 22", fields: ["a": "port", "b": "22"]),
        Match(grok: "(x)?%{WORD:a}", text: "abc", fields: ["a": "abc"]),
        Match(grok: "%{WORD:a}( %{INT:b})?", text: "abc", fields: ["a": "abc", "b": ""]),
        Match(grok: "%{PAIR}", text: "k=v", fields: ["key": "k", "value": "v"]),
        Match(grok: "%{PAIR:value}", text: "k=v", fields: ["key": "k", "value": "k=v"]),
        Match(grok: "%{WORD:a} %{WORD:a}", text: "one two", fields: ["a": "two"]),
        Match(grok: "(foo|-)%{WORD:a}", text: "-bar", fields: ["a": "bar"]),
        Match(grok: "[(]%{WORD:a}", text: "(bar", fields: ["a": "bar"]),
        Match(grok: "^%{INT:n}$", text: "12a", fields: nil),
        Match(grok: "%{INT:n:int} %{WORD:w}", text: "%{INT:n:int} x", fields: ["w": "x"]),
        Match(grok: "%{LATER}%{WORD:a}", text: "xab", fields: ["a": "ab"]),
        Match(grok: "é%{WORD:a}", text: "éb", fields: ["a": "b"]),
        // What a text must begin with is looked at before an engine is asked.
        Match(grok: "^Failed %{WORD:a}", text: "Failed x", fields: ["a": "x"]),
        Match(grok: "^Failed %{WORD:a}", text: "Failex x", fields: nil),
        Match(grok: "^Failed password %{WORD:a}", text: "Failed passwort x", fields: nil),
        Match(grok: "^ab%{WORD:a}", text: "abc", fields: ["a": "c"]),
        Match(grok: "^ab%{WORD:a}", text: "a", fields: nil),
        Match(grok: "^ab?%{WORD:a}", text: "ax", fields: ["a": "x"]),
        Match(grok: "^(ab)%{WORD:a}", text: "abcdefghij", fields: ["a": "cdefghij"]),
        Match(grok: "^(ab|x)%{WORD:a}", text: "xcdefghij", fields: ["a": "cdefghij"]),
        Match(grok: "^(ab)*%{WORD:a}", text: "xcdefghij", fields: ["a": "xcdefghij"]),
        Match(grok: "^zz|%{WORD:a}", text: "ab", fields: ["a": "ab"]),
        Match(grok: "(?i)^AB%{WORD:a}", text: "abcdefghij", fields: ["a": "cdefghij"]),
        Match(grok: "(?m)^b%{WORD:a}", text: "xxxxxxxxx\nbc", fields: ["a": "c"]),
        Match(grok: "^é%{WORD:a}", text: "éb", fields: ["a": "b"]),
        Match(grok: "^\\Aab%{WORD:a}", text: "abcdefghij", fields: ["a": "cdefghij"]),
    ])
    func captures(_ match: Match) throws {
        var library = GrokTests.library
        let grok = try library.compile(match.grok)
        let scratch = PatternScratch(patterns: library.compiledCount, pairs: 16)
        var text = match.text
        let found: [String: String]? = text.withUTF8 { buffer in
            let slice = ByteSlice(buffer)
            guard scratch.match(grok.pattern, slice, isUTF8: true) else { return nil }
            let values = grok.pattern.places.map { place in scratch.range(place).map { String(slice[$0]) } ?? "" }
            return Dictionary(zip(grok.fields, values)) { _, last in last }
        }
        #expect(found == match.fields)
    }

    @Test func refusals() {
        var library = GrokTests.library
        #expect(throws: GrokError.unknownPattern("NOPE", in: "%{NOPE:x}")) { try library.compile("%{NOPE:x}") }
        #expect(throws: GrokError.duplicate("WORD")) { try library.register("WORD", "x") }
        #expect(throws: GrokError.empty("E")) { try library.register("E", "") }
    }

    /// The shipped patterns with both engines over real lines: the same captures.
    @Test func bothEnginesCaptureTheSame() throws {
        let directory = SharedMaterial.packageRoot + "/deploy/etc/crowdsec/patterns"
        var texts = ""
        for name in ["linux-syslog", "nginx", "haproxy", "ssh"] {
            texts += String(decoding: SharedMaterial.read(directory + "/" + name) ?? [], as: UTF8.self) + "\n"
        }
        var fast = GrokLibrary.standard()
        var slow = GrokLibrary.standard(accelerated: false)
        #expect(fast.register(lines: texts) == [])
        #expect(slow.register(lines: texts) == [])
        let groks = [
            "^%{SYSLOGLINE}", "%{IPORHOST:a} %{GREEDYDATA:b}", "%{TIMESTAMP_ISO8601:t}", "%{COMMONAPACHELOG}",
            "%{IP:ip}", "%{URIPATHPARAM:p}", "%{QUOTEDSTRING:q}", "%{HTTPDATE:d}", "%{NUMBER:n}", "%{EMAILADDRESS:e}",
        ]
        let logs = ["logs/openssh_2k.log", "logs/apache_combined_10k.log"].compactMap { SharedMaterial.path($0) }
        let lines = logs.flatMap { (SharedMaterial.read($0) ?? []).split(separator: 10).prefix(400) }
        for text in groks {
            let (a, b) = (try fast.compile(text), try slow.compile(text))
            let quick = PatternScratch(patterns: fast.compiledCount, pairs: 64)
            let sure = PatternScratch(patterns: slow.compiledCount, pairs: 64)
            for line in lines {
                line.withUnsafeBufferPointer { buffer in
                    let slice = ByteSlice(buffer)
                    let matched = quick.match(a.pattern, slice, isUTF8: UTF8Check.isValid(slice))
                    #expect(matched == sure.match(b.pattern, slice, isUTF8: false), "\(text) on \(slice)")
                    guard matched else { return }
                    for (x, y) in zip(a.pattern.places, b.pattern.places) where quick.range(x) != sure.range(y) {
                        Issue.record("\(text) on \(slice)")
                    }
                }
            }
        }
    }
}
