import CrowdCore

/// A place in a JSON text: `a.b[0].c` (engine facts D.5, "JSON paths").
enum JSONPath {
    /// The raw text of the value: strings without quotes and not unescaped. nil when there is none.
    static func extract(_ document: ByteSlice, _ path: ByteSlice) -> ByteSlice? {
        guard let raw = LooseJSON.find(segments(path), in: document) else { return nil }
        guard raw.count >= 2, raw[0] == UInt8(ascii: "\"") else { return raw }
        return raw[1..<(raw.count - 1)]
    }

    /// The value when it is a string, unescaped.
    static func extractUnescaped(_ document: ByteSlice, _ key: ByteSlice, _ arena: Arena) -> ByteSlice? {
        guard let raw = LooseJSON.find([key], in: document), raw.buffer.first == UInt8(ascii: "\"") else { return nil }
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
}
