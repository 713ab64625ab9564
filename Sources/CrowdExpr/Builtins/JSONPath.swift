import CrowdCore

/// A place in a JSON text: `a.b[0].c` (engine facts D.5, "JSON paths").
///
/// The document is scanned only as far as needed: what follows the value is not looked at.
enum JSONPath {
    /// The raw text of the value: strings without quotes and not unescaped. nil when there is none.
    static func extract(_ document: ByteSlice, _ path: ByteSlice) -> ByteSlice? {
        guard let raw = find(document, segments(path)) else { return nil }
        guard raw.count >= 2, raw[0] == UInt8(ascii: "\"") else { return raw }
        return raw[1..<(raw.count - 1)]
    }

    /// The value when it is a string, unescaped.
    static func extractUnescaped(_ document: ByteSlice, _ key: ByteSlice, _ arena: Arena) -> ByteSlice? {
        guard let raw = find(document, [key]), raw.count >= 2, raw[0] == UInt8(ascii: "\"") else { return nil }
        guard case .string(let text)? = try? ValueJSON.parse(raw, arena: arena) else { return nil }
        return text
    }

    private static func segments(_ path: ByteSlice) -> [ByteSlice] {
        var segments: [ByteSlice] = []
        for part in Texts.parts(path, ByteSlice("."), limit: -1, keepSeparator: false) {
            var start = 0
            for at in 0..<part.count where part[at] == UInt8(ascii: "[") && at > start {
                segments.append(part[start..<at])
                start = at
            }
            if start < part.count { segments.append(part[start..<part.count]) }
        }
        return segments
    }

    private static func find(_ document: ByteSlice, _ path: [ByteSlice]) -> ByteSlice? {
        var reader = JSONReader(document.buffer)
        do {
            for segment in path {
                if segment[0] == UInt8(ascii: "["), segment[segment.count - 1] == UInt8(ascii: "]") {
                    guard let index = Int(String(segment[1..<(segment.count - 1)])), index >= 0 else { return nil }
                    guard try enter(&reader, element: index) else { return nil }
                } else {
                    guard try enter(&reader, key: segment) else { return nil }
                }
            }
            return ByteSlice(try reader.rawValue())
        } catch {
            return nil
        }
    }

    private static func enter(_ reader: inout JSONReader, key: ByteSlice) throws(JSONError) -> Bool {
        guard try reader.peek() == .object else { return false }
        try reader.beginObject()
        while let name = try reader.nextKey() {
            let matches =
                name.hasEscapes ? name.unescaped().elementsEqual(key.buffer) : ByteSlice(name.raw) == key
            if matches { return true }
            try reader.skip()
        }
        return false
    }

    private static func enter(_ reader: inout JSONReader, element: Int) throws(JSONError) -> Bool {
        guard try reader.peek() == .array else { return false }
        try reader.beginArray()
        for _ in 0..<element {
            guard try reader.nextElement() else { return false }
            try reader.skip()
        }
        return try reader.nextElement()
    }
}
