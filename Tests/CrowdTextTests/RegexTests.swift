import CrowdCore
import CrowdTestSupport
import CrowdText
import Testing

@testable import CrowdText

@Suite("Regular expressions") struct RegexTests {
    /// Bytes, pattern, and where RE2 and Go's reading of it match (regex facts 5, invalid UTF-8 vectors).
    struct Vector: CustomTestStringConvertible, Sendable {
        var pattern: String
        var bytes: [UInt8]
        var grok: Range<Int>?
        var goMatches: Bool
        var testDescription: String { "\(pattern) on \(bytes)" }
    }

    @Test(arguments: [
        Vector(pattern: "a.b", bytes: [0x61, 0xff, 0x62], grok: nil, goMatches: true),
        Vector(pattern: ".*", bytes: [0x61, 0x62, 0xff, 0x63, 0x64], grok: 0..<2, goMatches: true),
        Vector(pattern: "[^\"]*\"", bytes: [0x61, 0xff, 0x22], grok: 2..<3, goMatches: true),
        Vector(pattern: "(.*)-(.*)", bytes: [0x61, 0xff, 0x2d, 0x62, 0xff, 0x63], grok: 2..<4, goMatches: true),
        Vector(pattern: "^.*$", bytes: [0x61, 0xff], grok: nil, goMatches: true),
        Vector(pattern: "\\s", bytes: [0x0b], grok: nil, goMatches: false),
        Vector(pattern: "a$", bytes: [0x61, 0x0a], grok: nil, goMatches: false),
        Vector(pattern: "é+", bytes: Array("caféé".utf8), grok: 3..<7, goMatches: true),
    ])
    func dialects(_ vector: Vector) throws {
        let pattern = try HybridPattern(vector.pattern, groups: [], number: 0, accelerated: true)
        let scratch = PatternScratch(patterns: 1, pairs: 8)
        try vector.bytes.withUnsafeBufferPointer { buffer in
            let text = ByteSlice(buffer)
            let matched = scratch.match(pattern, text, isUTF8: UTF8Check.isValid(text))
            #expect((matched ? scratch.range(0) : nil) == vector.grok)
            let go = try GoPattern(vector.pattern).matches(text)
            #expect(go == vector.goMatches)
        }
    }

    @Test(arguments: [
        ("a(b)(c)d", [2], "a(?:b)(c)d"), ("\\s\\d+", [], "[\\x{9}-\\x{a}\\x{c}-\\x{d} ][0-9]+"),
        ("^x$", [], "\\Ax\\z"), ("(?:a|b)*?", [], "(?:a|b)*?"), ("[\\w-.]", [], "[0-9A-Z_a-z\\-\\.]"),
        ("a{2,}b{3}c{0,1}", [], "a{2,}b{3}c?"), ("x{y}", [], "x\\{y\\}"), ("[^]a]", [], "[^\\]a]"),
        ("(?i)ab1", [], "(?i:a)(?i:b)1"), ("a(?i)b", [], "a(?i:b)"), ("(?s).", [], "(?s:.)"),
    ])
    func printsWhatBothEnginesRead(_ pattern: String, kept: [Int], printed: String) throws {
        let (tree, _) = try #require(RegexParser.parse(pattern))
        #expect(RegexPrinter.print(tree, keeping: Set(kept)).text == printed)
    }

    @Test(arguments: ["(a*)+", "^*", "\\pL", "(?U)a+", "(?i)\\w", "\\C", "(a|)*", "\\d**"])
    func leavesToRE2WhatTheEnginesReadDifferently(_ pattern: String) {
        #expect(RegexParser.parse(pattern) == nil)
    }

    /// Subjects that make a backtracking matcher run away (regex facts 5).
    @Test(arguments: [64, 128, 512, 4_096, 65_536])
    func hostileTextCostsLinearTime(_ length: Int) throws {
        let patterns = [
            #"^<(\d+)>(\d+) (\S+) ([\w.-]+(?:\.[\w.-]+)*) (\S+)$"#, #"(x+x+)+y"#, #"^(\S+ )*(\S+ )*z$"#,
            #"GET ([^ ]*\.?)*([^ ]*)" "#,
        ]
        let scratch = PatternScratch(patterns: patterns.count, pairs: 8)
        for (number, text) in patterns.enumerated() {
            let pattern = try HybridPattern(text, groups: [], number: number, accelerated: true)
            let arbiter = try RE2Pattern(text)
            for unit in ["a.", "x", "a ", "/."] {
                var subject = "<34>1 2026 h"
                while subject.utf8.count < length { subject += unit }
                subject += "!"
                subject.withUTF8 { buffer in
                    let slice = ByteSlice(buffer)
                    for _ in 0..<3 { #expect(scratch.match(pattern, slice, isUTF8: true) == arbiter.matches(slice)) }
                }
            }
        }
    }

    @Test func aPatternThatStrikesIsDemotedForAWhile() {
        var breaker = Breaker()
        let strikes = (0..<8).map { _ in breaker.strike() }
        #expect(strikes == Array(repeating: false, count: 7) + [true])
        let turns = (0..<65_537).map { _ in breaker.isDemoted() }
        #expect(turns.prefix(65_536).allSatisfy { $0 } && turns.last == false)
    }

    @Test func setsAnswerForAllTheirPatterns() throws {
        let set = try PatternSet(["^curl/", "(?i)nikto", "[0-9]{4}bot"])
        let cases = [("curl/8.0", true), ("x Nikto/2", true), ("1234bot", true), ("mozilla", false), ("", false)]
        for (subject, expected) in cases {
            var subject = subject
            let found = subject.withUTF8 { set.matchesAny(ByteSlice($0)) }
            #expect(found == expected)
        }
    }

    @Test(arguments: ["[abc", "a(b", "(?=x)", "a**", "\\1"])
    func refusesWhatRE2Refuses(_ pattern: String) {
        #expect(throws: RegexError.self) { try RE2Pattern(pattern) }
    }
}
