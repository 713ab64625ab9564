import Testing

@testable import CrowdLAPI

@Suite("A list that is cut while it arrives") struct ArraySplitterTests {
    struct Text: Sendable, CustomTestStringConvertible {
        var json: String
        var elements: [String]
        var testDescription: String { json }
    }

    @Test(arguments: [
        Text(json: "[]", elements: []), Text(json: "null", elements: []),
        Text(json: #"[{"a":1}]"#, elements: [#"{"a":1}"#]),
        Text(json: #" [ {"a":[{"b":2},[]]} , {"c":{}} ] "#, elements: [#"{"a":[{"b":2},[]]}"#, #"{"c":{}}"#]),
        Text(
            json: #"[{"a":"]}\"{"},{"b":"\\"},{}]"#, elements: [#"{"a":"]}\"{"}"#, #"{"b":"\\"}"#, "{}"]),
        Text(json: #"[{"a":1},{"b":"#, elements: [#"{"a":1}"#]),
    ])
    func elements(_ text: Text) {
        let bytes = Array(text.json.utf8)
        // In pieces of every length, cut everywhere.
        for size in 1...max(1, bytes.count) {
            var splitter = ArraySplitter()
            var found: [String] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                let isOn = bytes[start..<min(start + size, bytes.count)].withUnsafeBufferPointer { piece in
                    splitter.feed(piece) { element in
                        found.append(String(decoding: element.dropFirst().dropLast(), as: UTF8.self))
                        return true
                    }
                }
                #expect(isOn)
            }
            #expect(found == text.elements)
        }
    }
}
