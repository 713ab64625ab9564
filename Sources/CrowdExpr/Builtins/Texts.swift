import CrowdCore

/// Text functions of the language.
enum TextFunctions {
    static let all: [Function] = [
        Function("trim", [.string, .string], required: 1, .string) { call throws(ValueError) in
            .string(Texts.trim(try call.text(0), call.count > 1 ? try call.text(1) : nil))
        },
        Function("trimPrefix", [.string, .string], required: 1, .string) { call throws(ValueError) in
            .string(Texts.trimPrefix(try call.text(0), call.count > 1 ? try call.text(1) : ByteSlice(" ")))
        },
        Function("trimSuffix", [.string, .string], required: 1, .string) { call throws(ValueError) in
            .string(Texts.trimSuffix(try call.text(0), call.count > 1 ? try call.text(1) : ByteSlice(" ")))
        },
        Function("upper", text: Texts.upper),
        Function("lower", text: Texts.lower),
        Function("split", [.string, .string, .int], required: 2, .list(.string)) { call throws(ValueError) in
            try Texts.split(call, keepSeparator: false)
        },
        Function("splitAfter", [.string, .string, .int], required: 2, .list(.string)) { call throws(ValueError) in
            try Texts.split(call, keepSeparator: true)
        },
        Function("replace", [.string, .string, .string, .int], required: 3, .string) { call throws(ValueError) in
            let limit = call.count > 3 ? try call.int(3) : -1
            return .string(
                Texts.replace(try call.text(0), try call.text(1), try call.text(2), limit: limit, call.arena))
        },
        Function("repeat", [.string, .int], .string) { call throws(ValueError) in
            let (text, count) = (try call.text(0), try call.int(1))
            guard count >= 0 else {
                throw ValueError("invalid argument for repeat (expected positive integer, got \(count))")
            }
            guard count <= 1_000_000, text.count * count <= 16_000_000 else {
                throw ValueError("memory budget exceeded")
            }
            try call.machine.useMemory(text.count * count)
            let target = call.arena.allocate(text.count * count)
            for index in 0..<count { (target + index * text.count).update(from: text.base, count: text.count) }
            return .string(ByteSlice(base: target, count: text.count * count))
        },
        Function("join", [.list(.any), .string], required: 1, .string) { call throws(ValueError) in
            let separator = call.count > 1 ? try call.text(1) : .empty
            return .string(try Texts.join(call.list(0), separator, call.arena))
        },
        Function("indexOf", [.string, .string], .int) { call throws(ValueError) in
            .int(Int64(try call.text(0).find(call.text(1)) ?? -1))
        },
        Function("lastIndexOf", [.string, .string], .int) { call throws(ValueError) in
            .int(Int64(Texts.lastIndex(try call.text(0), try call.text(1))))
        },
        Function("hasPrefix", [.string, .string], .bool) { call throws(ValueError) in
            .bool(try call.text(0).hasPrefix(call.text(1)))
        },
        Function("hasSuffix", [.string, .string], .bool) { call throws(ValueError) in
            .bool(try call.text(0).hasSuffix(call.text(1)))
        },
        Function("string", [.any], .string) { call throws(ValueError) in
            if case .string = call[0] { return call[0] }
            return call.string(Printing.plain(call[0]))
        },
    ]
}

/// Operations on text as Go's strings package does them, on bytes.
enum Texts {
    /// Without a cutset: Unicode white space, of which logs have the ASCII part, NEL and NBSP.
    static func trim(_ text: ByteSlice, _ cutset: ByteSlice?, left: Bool = true, right: Bool = true) -> ByteSlice {
        var (start, end) = (0, text.count)
        let cut = cutset.map { Set(String($0).unicodeScalars) }
        func isCut(_ scalar: Unicode.Scalar) -> Bool { cut?.contains(scalar) ?? scalar.properties.isWhitespace }
        while left, start < end {
            let length = scalarLength(text, at: start, limit: end)
            guard isCut(scalar(text[start..<start + length])) else { break }
            start += length
        }
        while right, start < end {
            var first = end - 1
            while first > start, end - first < 4, text[first] & 0xc0 == 0x80 { first -= 1 }
            guard isCut(scalar(text[first..<end])) else { break }
            end = first
        }
        return text[start..<end]
    }

    private static func scalarLength(_ text: ByteSlice, at: Int, limit: Int) -> Int {
        let lead = text[at]
        let length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
        return min(length, limit - at)
    }

    private static func scalar(_ bytes: ByteSlice) -> Unicode.Scalar {
        bytes.count == 1 && bytes[0] < 0x80
            ? Unicode.Scalar(bytes[0]) : String(bytes).unicodeScalars.first ?? "\u{FFFD}"
    }

    static func trimPrefix(_ text: ByteSlice, _ prefix: ByteSlice) -> ByteSlice {
        text.hasPrefix(prefix) ? text[prefix.count..<text.count] : text
    }

    static func trimSuffix(_ text: ByteSlice, _ suffix: ByteSlice) -> ByteSlice {
        text.hasSuffix(suffix) ? text[0..<(text.count - suffix.count)] : text
    }

    @Sendable static func upper(_ text: ByteSlice, _ arena: Arena) -> ByteSlice {
        asciiCased(text, arena, from: UInt8(ascii: "a")) ?? cased(text, arena) { $0.properties.uppercaseMapping }
    }

    @Sendable static func lower(_ text: ByteSlice, _ arena: Arena) -> ByteSlice {
        asciiCased(text, arena, from: UInt8(ascii: "A")) ?? cased(text, arena) { $0.properties.lowercaseMapping }
    }

    /// The letters from `first` on in their other case; nil for text beyond ASCII. Written so that it becomes vector code.
    @inline(__always)
    private static func asciiCased(_ text: ByteSlice, _ arena: Arena, from first: UInt8) -> ByteSlice? {
        let (source, count) = (text.base, text.count)
        let target = arena.allocate(count)
        var seen: UInt8 = 0
        for index in 0..<count {
            let byte = source[index]
            seen |= byte
            target[index] = byte ^ (byte &- first < 26 ? 0x20 : 0)
        }
        return seen < 0x80 ? ByteSlice(base: target, count: count) : nil
    }

    /// Simple case mapping: a scalar whose mapping is several scalars stays as it is, as in Go.
    private static func cased(
        _ text: ByteSlice, _ arena: Arena, _ unicode: (Unicode.Scalar) -> String
    ) -> ByteSlice {
        var result = String.UnicodeScalarView()
        for scalar in String(text).unicodeScalars {
            let mapped = unicode(scalar).unicodeScalars
            result.append(mapped.count == 1 ? mapped.first ?? scalar : scalar)
        }
        return arena.copy(String(result))
    }

    static func lastIndex(_ text: ByteSlice, _ part: ByteSlice) -> Int {
        guard text.count >= part.count else { return -1 }
        for at in stride(from: text.count - part.count, through: 0, by: -1)
        where text[at..<at + part.count] == part { return at }
        return -1
    }

    static func replace(_ text: ByteSlice, _ old: ByteSlice, _ new: ByteSlice, limit: Int, _ arena: Arena) -> ByteSlice
    {
        var result: [UInt8] = []
        var (at, left) = (0, limit)
        if old.isEmpty { return replaceEmpty(text, new, limit: limit, arena) }
        while left != 0, let hit = text.find(old, from: at) {
            result += text[at..<hit].buffer
            result += new.buffer
            at = hit + old.count
            left -= 1
        }
        guard at > 0 else { return text }
        result += text[at..<text.count].buffer
        return arena.copy(result)
    }

    /// An empty search text is found before every character and at the end.
    private static func replaceEmpty(_ text: ByteSlice, _ new: ByteSlice, limit: Int, _ arena: Arena) -> ByteSlice {
        var result: [UInt8] = []
        var left = limit
        for byte in text.buffer {
            if left != 0, byte & 0xc0 != 0x80 {
                result += new.buffer
                left -= 1
            }
            result.append(byte)
        }
        if left != 0 { result += new.buffer }
        return arena.copy(result)
    }

    /// Parts of `text` between separators, at most `limit` of them when that is above zero.
    static func parts(_ text: ByteSlice, _ separator: ByteSlice, limit: Int, keepSeparator: Bool) -> [ByteSlice] {
        if limit == 0 { return [] }
        if separator.isEmpty { return characters(text, limit: limit) }
        var parts: [ByteSlice] = []
        var at = 0
        while limit < 0 || parts.count < limit - 1, let hit = text.find(separator, from: at) {
            parts.append(text[at..<(keepSeparator ? hit + separator.count : hit)])
            at = hit + separator.count
        }
        parts.append(text[at..<text.count])
        return parts
    }

    private static func characters(_ text: ByteSlice, limit: Int) -> [ByteSlice] {
        var parts: [ByteSlice] = []
        var at = 0
        while at < text.count {
            if limit > 0, parts.count == limit - 1 {
                parts.append(text[at..<text.count])
                break
            }
            let length = scalarLength(text, at: at, limit: text.count)
            parts.append(text[at..<at + length])
            at += length
        }
        return parts
    }

    static func split(_ call: Arguments, keepSeparator: Bool) throws(ValueError) -> Value {
        let limit = call.count > 2 ? try call.int(2) : -1
        let parts = parts(try call.text(0), try call.text(1), limit: limit, keepSeparator: keepSeparator)
        try call.machine.useMemory(parts.count)
        return .list(ListValue(parts.map { .string($0) }))
    }

    static func join(_ items: [Value], _ separator: ByteSlice, _ arena: Arena) throws(ValueError) -> ByteSlice {
        var result: [UInt8] = []
        for (index, item) in items.enumerated() {
            guard case .string(let text) = item else { throw ValueError("invalid argument for join (\(item.kind))") }
            if index > 0 { result += separator.buffer }
            result += text.buffer
        }
        return arena.copy(result)
    }
}
