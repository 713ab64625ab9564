extension JSONReader {
    /// The next value, a string, as a slice of the text.
    public mutating func text() throws(JSONError) -> JSONText {
        try expect(.string, as: "string")
        return try scanString()
    }

    /// The next value, a string; invalid UTF-8 is repaired with U+FFFD.
    public mutating func string() throws(JSONError) -> String { try text().string }

    /// As `string`, with nil for `null`.
    public mutating func optionalString() throws(JSONError) -> String? { try null() ? nil : try string() }

    /// Reads a `null` if it is next and says so; any other value stays unread.
    public mutating func null() throws(JSONError) -> Bool {
        guard try peek() == .null else { return false }
        try literal("null")
        return true
    }

    public mutating func bool() throws(JSONError) -> Bool {
        try expect(.bool, as: "bool")
        let isTrue = bytes[position] == UInt8(ascii: "t")
        try literal(isTrue ? "true" : "false")
        return isTrue
    }

    /// The next value, a whole number without fraction or exponent.
    public mutating func int64() throws(JSONError) -> Int64 {
        let start = position
        let slice = try numberText()
        guard let value = Int64(String(decoding: slice, as: UTF8.self)) else {
            throw .outOfRange(text: String(decoding: slice.prefix(40), as: UTF8.self), offset: start)
        }
        return value
    }

    public mutating func int32() throws(JSONError) -> Int32 {
        let start = position
        let value = try int64()
        guard let narrow = Int32(exactly: value) else { throw .outOfRange(text: String(value), offset: start) }
        return narrow
    }

    public mutating func double() throws(JSONError) -> Double {
        let slice = try numberText()
        return Double(String(decoding: slice, as: UTF8.self)) ?? 0
    }

    /// The next value, a number within the range of 32 bits.
    public mutating func float() throws(JSONError) -> Float {
        let start = position
        let slice = try numberText()
        let text = String(decoding: slice, as: UTF8.self)
        guard let value = Float(text), value.isFinite else {
            throw .outOfRange(text: String(text.prefix(40)), offset: start)
        }
        return value
    }

    /// The next value, a number, as its own text.
    public mutating func numberText() throws(JSONError) -> UnsafeBufferPointer<UInt8> {
        try expect(.number, as: "number")
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits()
        }
        return UnsafeBufferPointer(rebasing: bytes[start..<position])
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
            position += 1
        }
        guard position > start else { throw unexpected("in numeric literal") }
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count else { throw .truncated }
            guard bytes[position] == word.utf8Start[index] else { throw unexpected("in literal \(word)") }
            position += 1
        }
    }

    /// Scans from an opening to the closing quote, checking escapes and refusing raw control bytes.
    mutating func scanString() throws(JSONError) -> JSONText {
        position += 1
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let raw = UnsafeBufferPointer(rebasing: bytes[start..<position])
                position += 1
                return JSONText(raw: raw, hasEscapes: hasEscapes)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try scanEscape()
            } else if byte < 0x20 {
                throw unexpected("in string literal")
            } else {
                position += 1
            }
        }
        throw .truncated
    }

    private mutating func scanEscape() throws(JSONError) {
        position += 1
        guard position < bytes.count else { throw .truncated }
        switch bytes[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            for _ in 0..<4 {
                guard position < bytes.count else { throw .truncated }
                guard Self.hexDigit(bytes[position]) != nil else {
                    throw unexpected("in \\u hexadecimal character escape")
                }
                position += 1
            }
        default: throw unexpected("in string escape code")
        }
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
