import CrowdCore

/// `key=value` text (engine facts D.5, "ParseKV" and "ParseKVLax").
enum KeyValueText {
    typealias Pair = (key: ByteSlice, value: ByteSlice)

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13 && byte != 11) }

    /// Keys without `=` and blanks; a value is quoted text, a run without `=` and blanks, or nothing.
    static func strict(_ text: ByteSlice) -> [Pair] {
        var pairs: [Pair] = []
        var at = 0
        while at < text.count {
            let start = at
            while at < text.count, text[at] != UInt8(ascii: "="), !isBlank(text[at]) { at += 1 }
            guard at < text.count, text[at] == UInt8(ascii: "="), at > start else {
                at += 1
                continue
            }
            let key = text[start..<at]
            at += 1
            if let quoted = quoted(text, at) {
                pairs.append((key, text[(at + 1)..<quoted]))
                at = quoted + 1
                continue
            }
            let first = at
            while at < text.count, text[at] != UInt8(ascii: "="), !isBlank(text[at]) { at += 1 }
            pairs.append((key, text[first..<at]))
            if at == first { while at < text.count, isBlank(text[at]) { at += 1 } }
        }
        return pairs
    }

    /// The place of the closing quote of a quoted text that begins at `start`.
    private static func quoted(_ text: ByteSlice, _ start: Int) -> Int? {
        guard start < text.count, text[start] == UInt8(ascii: "\"") else { return nil }
        var at = start + 1
        while at < text.count {
            if text[at] == UInt8(ascii: "\\") {
                at += 1
            } else if text[at] == UInt8(ascii: "\"") {
                return at
            }
            at += 1
        }
        return nil
    }

    private static func isKeyStart(_ byte: UInt8) -> Bool {
        (byte | 32 >= 97 && byte | 32 <= 122) || byte == UInt8(ascii: "_")
    }
    private static func isKeyPart(_ byte: UInt8) -> Bool {
        isKeyStart(byte) || (byte >= 48 && byte <= 57) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }

    /// Keys like identifiers, outside quotes; a value runs to the next key.
    static func lax(_ text: ByteSlice, _ arena: Arena) -> [Pair] {
        var marks: [(start: Int, equals: Int)] = []
        var (at, inQuotes) = (0, false)
        while at < text.count {
            if text[at] == UInt8(ascii: "\""), at == 0 || text[at - 1] != UInt8(ascii: "\\") { inQuotes.toggle() }
            let starts = at == 0 || !isKeyPart(text[at - 1])
            guard !inQuotes, starts, isKeyStart(text[at]) else {
                at += 1
                continue
            }
            let start = at
            while at < text.count, isKeyPart(text[at]) { at += 1 }
            if at < text.count, text[at] == UInt8(ascii: "=") {
                marks.append((start, at))
                at += 1
            }
        }
        return marks.enumerated().map { index, mark in
            let end = index + 1 < marks.count ? marks[index + 1].start : text.count
            let value = Texts.trim(text[(mark.equals + 1)..<end], nil)
            return (text[mark.start..<mark.equals], unquoted(value, arena))
        }
    }

    private static func unquoted(_ value: ByteSlice, _ arena: Arena) -> ByteSlice {
        guard value.count > 0, value[0] == UInt8(ascii: "\"") else { return value }
        guard value.count > 1, value[value.count - 1] == UInt8(ascii: "\"") else { return value[1..<value.count] }
        let inner = value[1..<(value.count - 1)]
        let once = Texts.replace(inner, ByteSlice("\\\\"), ByteSlice("\\"), limit: -1, arena)
        return Texts.replace(once, ByteSlice("\\\""), ByteSlice("\""), limit: -1, arena)
    }

    /// Into the map of strings at `target[key]`, which is made if it is not there.
    static func store(_ pairs: [Pair], _ call: Arguments) throws(ValueError) {
        let target = try call.map(1)
        let key = try call.text(2)
        let map: MapValue
        switch target.find(key) {
        case nil, .null: map = MapValue(missing: .string(.empty))
        case .map(let existing): map = existing
        case let other?: throw ValueError("cannot store key/value pairs over \(other.kind)")
        }
        for pair in pairs { map.set(call.arena.copy(pair.key), .string(call.arena.copy(pair.value))) }
        target.set(call.arena.copy(key), .map(map))
    }
}
