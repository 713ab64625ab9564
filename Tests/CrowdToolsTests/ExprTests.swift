import CrowdExpr
import Testing

@testable import CrowdTools

@Suite("cscli expr") struct ExprTests {
    @Test(arguments: [
        ("evt.Meta.log_type == 'ssh'", "true"), ("evt.Parsed.missing", "\"\""), ("evt.Line.Labels.type", "\"syslog\""),
        ("evt.Unmarshaled.a.b[1]", "2"), ("len(evt.Line.Raw)", "5"), ("Upper(evt.Meta.log_type) + '!'", "\"SSH!\""),
    ])
    func overAnEvent(_ source: String, json: String) throws {
        let event = #"""
            {"Meta": {"log_type": "ssh"}, "Line": {"Raw": "hello", "Labels": {"type": "syslog"}},
             "Unmarshaled": {"a": {"b": [1, 2]}}}
            """#
        var evaluator = try ExprEvaluator(Array(event.utf8), isEvent: true)
        let result = try evaluator.evaluate(source).get()
        #expect(result == json)
    }

    @Test(arguments: [("x +", 3), ("nope(1)", 0), ("x matches '['", 10), ("1 + 'a'", 2)])
    func errorsPointAtThePlace(_ source: String, offset: Int) throws {
        var evaluator = try ExprEvaluator(Array(#"{"x": 1}"#.utf8), isEvent: false)
        guard case .failure(let error) = evaluator.evaluate(source) else {
            Issue.record("\(source) was accepted")
            return
        }
        #expect(error.offset == offset)
    }

    /// Any text gives a value or an error, never an end.
    @Test func randomTextIsSurvived() throws {
        var evaluator = try ExprEvaluator(Array(#"{"x": [1, "a", null], "s": "text"}"#.utf8), isEvent: false)
        let words = [
            "x", "s", "(", ")", "[", "]", "{", "}", "#", ".", "?.", "??", "?", ":", "not", "in", "let a =", ";", "+",
            "-",
            "*", "/", "%", "**", "..", "'a'", "1", "2.5", "nil", "true", "map(", "filter(", "any(", ",", "|", "matches",
            "if x {", "} else {", "upper(", "reduce(", "1e309", "'\\", "\"", "`", "é", "\u{0}",
        ]
        var state: UInt64 = 42
        for _ in 0..<20_000 {
            var source = ""
            for _ in 0..<Int(state >> 60) + 1 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                source += words[Int(state >> 33) % words.count] + " "
            }
            _ = evaluator.evaluate(source)
        }
    }
}
