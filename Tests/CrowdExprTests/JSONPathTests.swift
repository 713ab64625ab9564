import CrowdCore
import Testing

@testable import CrowdExpr

/// What `JsonExtract` finds, in whole documents and in what is left of damaged ones: as CrowdSec 1.4.6 does.
@Suite("Values in JSON") struct JSONPathTests {
    struct Case: Sendable {
        var document: String
        var path: String
        var value: String?
    }

    @Test(arguments: [
        Case(document: #"{"a": 1, "b": {"c": "x y"}}"#, path: "b.c", value: "x y"),
        Case(document: #"{"a": "q\"\\"}"#, path: "a", value: #"q\"\\"#),
        Case(document: #"{"a": {"b": 1}, "b": 2}"#, path: "b", value: "2"),
        Case(document: #"{"a": [1, {"b": [true, null]}]}"#, path: "a[1].b[1]", value: "null"),
        Case(document: #"[[7, 8], "x"]"#, path: "[1]", value: "x"),
        Case(document: #"{"a": [1]}"#, path: "a[1]", value: nil), Case(document: #"{"a": []}"#, path: "a[0]", value: nil),
        Case(document: #"{"a": {}}"#, path: "a", value: "{}"), Case(document: #"{"a": 1}"#, path: "b", value: nil),
        Case(document: #"{"k\u0065y": "escaped"}"#, path: "key", value: "escaped"),
        // Cut off behind the value, within it, and before it.
        Case(document: #"{"a": "whole", "b": {"c"#, path: "a", value: "whole"),
        Case(document: #"{"a": "who"#, path: "a", value: nil), Case(document: #"{"a": {"b": 1"#, path: "a", value: nil),
        Case(document: #"{"a": {"b": 1"#, path: "a.b", value: "1"), Case(document: #"{"a": "#, path: "a", value: nil),
        // Something in front, a missing comma, a missing colon, two documents.
        Case(document: #"Nov 22 app: {"a": 1}"#, path: "a", value: nil), Case(document: #"x{"a": 1}"#, path: "a", value: "1"),
        Case(document: #"{"a": 1 "b": 2}"#, path: "b", value: "2"), Case(document: #"{"x" 1, "b": 2}"#, path: "b", value: "2"),
        Case(document: #"{"x": "y"z" "b": 2}"#, path: "b", value: nil),
        Case(document: #"{"a": 1}{"b": 2}"#, path: "b", value: nil), Case(document: #"{"a": 1}{"a": 2}"#, path: "a", value: "1"),
        // Words that are no values, and one that begins like a number.
        Case(document: #"{"a": maybe}"#, path: "a", value: nil), Case(document: #"{"a": truely}"#, path: "a", value: nil),
        Case(document: #"{"a": 1-2-3}"#, path: "a", value: "1-2-3"), Case(document: "", path: "a", value: nil),
    ])
    func isFoundAsTheReferenceFindsIt(_ test: Case) {
        var (document, path) = (test.document, test.path)
        let found: String? = document.withUTF8 { document in
            path.withUTF8 { JSONPath.extract(ByteSlice(document), ByteSlice($0)).map { String($0) } }
        }
        #expect(found == test.value)
    }
}
