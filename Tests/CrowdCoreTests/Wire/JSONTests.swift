import CrowdCore
import Testing

@Suite("JSON") struct JSONTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        var text: String
        var error: String
        var testDescription: String { text }
    }

    @Test(arguments: [
        Refusal(text: "", error: "EOF"),
        Refusal(text: "   ", error: "EOF"),
        Refusal(text: "{", error: "unexpected EOF"),
        Refusal(text: "[1", error: "unexpected EOF"),
        Refusal(text: "\"abc", error: "unexpected EOF"),
        Refusal(text: "[1 2]", error: "invalid character '2' after array element"),
        Refusal(text: "{1:2}", error: "invalid character '1' looking for beginning of object key string"),
        Refusal(text: "{\"a\" 2}", error: "invalid character '2' after object key"),
        Refusal(text: "[1,]", error: "invalid character ']' looking for beginning of value"),
        Refusal(text: "nul!", error: "invalid character '!' in literal null"),
        Refusal(text: "-", error: "unexpected EOF"),
        Refusal(text: "1.x", error: "invalid character 'x' in numeric literal"),
        Refusal(text: "\"a\nb\"", error: "invalid character '\\n' in string literal"),
        Refusal(text: "\"\\q\"", error: "invalid character 'q' in string escape code"),
        Refusal(text: "\"\\u12g4\"", error: "invalid character 'g' in \\u hexadecimal character escape"),
        Refusal(text: "1 1", error: "invalid character '1' after top-level value"),
        Refusal(text: String(repeating: "[", count: 65), error: "exceeded max depth of 64"),
        Refusal(text: String(repeating: "{\"a\":", count: 65), error: "exceeded max depth of 64"),
    ])
    func refusesWithGoWords(_ refusal: Refusal) {
        #expect(throws: JSONError.self) { try JSON.parse(Array(refusal.text.utf8)) }
        do throws(JSONError) { _ = try JSON.parse(Array(refusal.text.utf8)) } catch {
            #expect(error.description == refusal.error)
        }
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-12.5e3", "12345678901234567890", "\"\"", "\"é\\n\\\"\\\\\"", "[]", "{}",
        "[1,[2,[3,{\"a\":null}]],\"x\"]", "{\"a\":{\"b\":[]},\"c\":1.0}",
    ])
    func roundTrips(_ text: String) throws {
        var writer = JSONWriter()
        try JSON.parse(Array(text.utf8)).write(to: &writer)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    }

    @Test(arguments: [
        ("\"\\u0041\\u00e9\"", "Aé"), ("\"\\ud83d\\ude00\"", "😀"), ("\"\\ud83d\"", "\u{FFFD}"),
        ("\"\\ud83dx\"", "\u{FFFD}x"), ("\"a\\/b\\t\"", "a/b\t"),
    ])
    func resolvesEscapes(_ text: String, _ value: String) throws {
        #expect(try JSON.parse(Array(text.utf8)) == .string(value))
    }

    @Test func repairsInvalidUTF8() throws {
        #expect(try JSON.parse([0x22, 0x61, 0xFF, 0x62, 0x22]) == .string("a\u{FFFD}b"))
        var writer = JSONWriter()
        let bytes: [UInt8] = [0x61, 0xFF, 0x01]
        bytes.withUnsafeBufferPointer { writer.string(bytes: $0) }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "\"a\u{FFFD}\\u0001\"")
    }

    @Test(arguments: [(0.5, "0.5"), (3.0, "3"), (-0.25, "-0.25"), (1e21, "1e+21"), (.infinity, "null"), (.nan, "null")])
    func writesNumbers(_ value: Double, _ text: String) {
        var writer = JSONWriter()
        writer.double(value)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    }

    @Test func writesTheSmallestInteger() {
        var writer = JSONWriter()
        writer.int(Int64.min)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "-9223372036854775808")
    }

    /// Every prefix and every single-byte change of a good text is answered or refused, never a crash.
    @Test func survivesDamage() {
        let good = Array(#"[{"a":"x\u00e9","b":[1,-2.5e1,true,null]},{"c":{}}]"#.utf8)
        for length in 0...good.count { _ = try? JSON.parse(Array(good[..<length])) }
        for index in good.indices {
            for byte: UInt8 in [0x00, 0x22, 0x5B, 0x5C, 0x7D, 0xFF] {
                var bad = good
                bad[index] = byte
                _ = try? JSON.parse(bad)
                _ = try? Alert.list(from: bad)
            }
        }
    }

    @Test func rawValueIsTheWholeValue() throws {
        let text = Array(#"{"a": {"b": [1, {"c": "}"}]} , "d": 2}"#.utf8)
        try text.withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer)
            try reader.beginObject()
            #expect(try reader.nextKey()?.string == "a")
            #expect(String(decoding: try reader.rawValue(), as: UTF8.self) == #"{"b": [1, {"c": "}"}]}"#)
            #expect(try reader.nextKey()?.string == "d")
            #expect(try reader.int64() == 2)
            #expect(try reader.nextKey()?.string == nil)
            try reader.finish()
        }
    }
}
