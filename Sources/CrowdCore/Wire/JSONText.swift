/// A JSON string as it stands in the text: a slice between the quotes, decoded only when asked for.
///
/// Valid as long as the bytes the reader was made over.
public struct JSONText {
    /// The bytes between the quotes, escapes not yet resolved.
    public let raw: UnsafeBufferPointer<UInt8>
    /// Whether `raw` holds at least one backslash; without one, `raw` is the value itself.
    public let hasEscapes: Bool

    init(raw: UnsafeBufferPointer<UInt8>, hasEscapes: Bool) {
        self.raw = raw
        self.hasEscapes = hasEscapes
    }

    /// The value; invalid UTF-8 and lone surrogates become U+FFFD.
    public var string: String {
        hasEscapes ? String(decoding: unescaped(), as: UTF8.self) : String(decoding: raw, as: UTF8.self)
    }

    /// The value's bytes with escapes resolved.
    public func unescaped() -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(raw.count)
        var index = 0
        while index < raw.count {
            let byte = raw[index]
            index += 1
            guard byte == 0x5C, index < raw.count else {
                out.append(byte)
                continue
            }
            let escape = raw[index]
            index += 1
            if escape == 0x75 {
                appendUnicode(at: &index, to: &out)
            } else {
                out.append(Self.plainEscape(escape))
            }
        }
        return out
    }

    private static func plainEscape(_ escape: UInt8) -> UInt8 {
        switch escape {
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        default: escape
        }
    }

    /// Resolves a `\u` escape of four digits, joined with the low surrogate behind it where there is one.
    private func appendUnicode(at index: inout Int, to out: inout [UInt8]) {
        var value = hex4(at: index)
        index += 4
        if (0xD800..<0xDC00).contains(value), index + 6 <= raw.count, raw[index] == 0x5C, raw[index + 1] == 0x75 {
            let low = hex4(at: index + 2)
            if (0xDC00..<0xE000).contains(low) {
                value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
                index += 6
            }
        }
        out.append(contentsOf: Character(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
    }

    /// The reader has checked that four hexadecimal digits are there.
    private func hex4(at start: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in start..<min(start + 4, raw.count) {
            value = value << 4 | UInt32(JSONReader.hexDigit(raw[index]) ?? 0)
        }
        return value
    }
}

extension JSONText {
    /// Compares bytes; costs no String while the text has no escapes.
    public static func == (text: JSONText, literal: StaticString) -> Bool {
        if text.hasEscapes { return text.string == literal.description }
        guard text.raw.count == literal.utf8CodeUnitCount else { return false }
        for index in 0..<text.raw.count where text.raw[index] != literal.utf8Start[index] { return false }
        return true
    }

    /// Lets a key be the subject of a `switch` over literals.
    public static func ~= (literal: StaticString, text: JSONText) -> Bool { text == literal }
}
