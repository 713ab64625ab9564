import CrowdCore
import Glibc

extension CrowdSecFunctions {
    /// Text functions: Go's strings and url packages.
    static let texts: [Function] = [
        Function("Upper", text: Texts.upper),
        Function("Lower", text: Texts.lower),
        Function("TrimSpace") { text, _ in Texts.trim(text, nil) },
        Function("Trim", [.string, .string], .string) { call throws(ValueError) in
            .string(Texts.trim(try call.text(0), try call.text(1)))
        },
        Function("TrimLeft", [.string, .string], .string) { call throws(ValueError) in
            .string(Texts.trim(try call.text(0), try call.text(1), right: false))
        },
        Function("TrimRight", [.string, .string], .string) { call throws(ValueError) in
            .string(Texts.trim(try call.text(0), try call.text(1), left: false))
        },
        Function("TrimPrefix", [.string, .string], .string) { call throws(ValueError) in
            .string(Texts.trimPrefix(try call.text(0), try call.text(1)))
        },
        Function("TrimSuffix", [.string, .string], .string) { call throws(ValueError) in
            .string(Texts.trimSuffix(try call.text(0), try call.text(1)))
        },
        Function("Split", [.string, .string], .list(.string)) { call throws(ValueError) in
            try Texts.split(call, keepSeparator: false)
        },
        Function("SplitN", [.string, .string, .int], .list(.string)) { call throws(ValueError) in
            try Texts.split(call, keepSeparator: false)
        },
        Function("SplitAfter", [.string, .string], .list(.string)) { call throws(ValueError) in
            try Texts.split(call, keepSeparator: true)
        },
        Function("SplitAfterN", [.string, .string, .int], .list(.string)) { call throws(ValueError) in
            try Texts.split(call, keepSeparator: true)
        },
        Function("Fields", [.string], .list(.string)) { call throws(ValueError) in
            let words = try call.string(0).split { $0.unicodeScalars.allSatisfy(\.properties.isWhitespace) }
            return call.strings(words.map(String.init))
        },
        Function("Join", [.list(.string), .string], .string) { call throws(ValueError) in
            .string(try Texts.join(call.list(0), call.text(1), call.arena))
        },
        Function("Replace", [.string, .string, .string, .int], .string) { call throws(ValueError) in
            .string(
                Texts.replace(try call.text(0), try call.text(1), try call.text(2), limit: try call.int(3), call.arena))
        },
        Function("ReplaceAll", [.string, .string, .string], .string) { call throws(ValueError) in
            .string(Texts.replace(try call.text(0), try call.text(1), try call.text(2), limit: -1, call.arena))
        },
        Function("Index", [.string, .string], .int) { call throws(ValueError) in
            .int(Int64(try call.text(0).find(call.text(1)) ?? -1))
        },
        Function("IndexAny", [.string, .string], .int) { call throws(ValueError) in
            let wanted = Set(try call.text(1).buffer)
            return .int(Int64(try call.text(0).buffer.firstIndex { wanted.contains($0) } ?? -1))
        },
        Function("Match", [.string, .string], .bool) { call throws(ValueError) in
            .bool(Glob.matches(try call.text(0), try call.text(1)))
        },
        Function("QueryEscape", [.string], .string) { call throws(ValueError) in
            .string(URLText.escape(try call.text(0), query: true, call.arena))
        },
        Function("PathEscape", [.string], .string) { call throws(ValueError) in
            .string(URLText.escape(try call.text(0), query: false, call.arena))
        },
        Function("QueryUnescape") { text, arena in URLText.unescape(text, plusIsBlank: true, arena) ?? text },
        Function("PathUnescape") { text, arena in URLText.unescape(text, plusIsBlank: false, arena) ?? text },
        Function("ParseQuery", [.string], .map(.list(.string))) { call throws(ValueError) in
            .map(URLText.query(try call.text(0), call.arena))
        },
        Function("ParseUri", [.string], .map(.list(.string))) { call throws(ValueError) in
            let uri = try call.text(0)
            guard let mark = uri.firstIndex(of: UInt8(ascii: "?")) else { return .map(MapValue()) }
            return .map(URLText.query(uri[(mark + 1)..<uri.count], call.arena))
        },
        Function("ExtractQueryParam", [.string, .string], .list(.string)) { call throws(ValueError) in
            let uri = try call.text(0)
            guard let mark = uri.firstIndex(of: UInt8(ascii: "?")) else { return .list(ListValue([])) }
            let name = try call.text(1)
            return URLText.query(uri[(mark + 1)..<uri.count], call.arena).find(name) ?? .list(ListValue([]))
        },
        Function("B64Decode", [.string], .string) { call throws(ValueError) in
            guard let bytes = Base64.decode(try call.string(0)) else { throw ValueError("illegal base64 data") }
            return .string(call.arena.copy(bytes))
        },
        Function("Sprintf", [.string, .any], required: 1, variadic: true, .string) { call throws(ValueError) in
            call.string(GoFormat.sprintf(try call.string(0), Array(call.all.dropFirst())))
        },
        Function("Hostname", [], .string, pure: false) { call throws(ValueError) in
            var buffer = [CChar](repeating: 0, count: 256)
            guard gethostname(&buffer, buffer.count - 1) == 0 else { return .string(.empty) }
            return call.string(String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        },
    ]
}

/// Shell-like patterns over the whole text: `*` any run, `?` one byte. Linear in text times pattern.
enum Glob {
    static func matches(_ pattern: ByteSlice, _ text: ByteSlice) -> Bool {
        guard !pattern.isEmpty else { return text.isEmpty }
        guard !text.isEmpty else { return pattern == ByteSlice("*") }
        var (p, t) = (0, 0)
        var (star, mark) = (-1, 0)
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                (star, mark) = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
                (p, t) = (p + 1, t + 1)
            } else if star >= 0 {
                (p, mark) = (star + 1, mark + 1)
                t = mark
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
        return p == pattern.count
    }
}

/// Percent encoding as Go's net/url does it.
enum URLText {
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        (byte | 32 >= 97 && byte | 32 <= 122) || (byte >= 48 && byte <= 57) || "-_.~".utf8.contains(byte)
    }

    static func escape(_ text: ByteSlice, query: Bool, _ arena: Arena) -> ByteSlice {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.buffer {
            if isUnreserved(byte) || (!query && "$&+=:@".utf8.contains(byte)) {
                result.append(byte)
            } else if query, byte == 32 {
                result.append(UInt8(ascii: "+"))
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return arena.copy(result)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    /// nil when an escape is malformed.
    static func unescape(_ text: ByteSlice, plusIsBlank: Bool, lenient: Bool = false, _ arena: Arena) -> ByteSlice? {
        let target = arena.allocate(text.count)
        var (at, length) = (0, 0)
        while at < text.count {
            var byte = text[at]
            if byte == UInt8(ascii: "%") {
                if at + 2 < text.count, let high = hex(text[at + 1]), let low = hex(text[at + 2]) {
                    byte = high << 4 | low
                    at += 2
                } else if !lenient {
                    return nil
                }
            } else if byte == UInt8(ascii: "+"), plusIsBlank {
                byte = 32
            }
            target[length] = byte
            (at, length) = (at + 1, length + 1)
        }
        return ByteSlice(base: target, count: length)
    }

    /// Name to values; split on `&` only, malformed escapes kept.
    static func query(_ text: ByteSlice, _ arena: Arena) -> MapValue {
        let map = MapValue()
        for part in Texts.parts(text, ByteSlice("&"), limit: 1_000, keepSeparator: false) where !part.isEmpty {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.count
            let name = part[0..<equals]
            let value = equals < part.count ? part[(equals + 1)..<part.count] : .empty
            let key = unescape(name, plusIsBlank: true, lenient: true, arena) ?? name
            let decoded = Value.string(unescape(value, plusIsBlank: true, lenient: true, arena) ?? value)
            if case .list(let list)? = map.find(key) {
                list.items.append(decoded)
            } else {
                map.set(key, .list(ListValue([decoded])))
            }
        }
        return map
    }
}

/// Go's `fmt.Sprintf`, with the verbs that content uses.
enum GoFormat {
    static func sprintf(_ format: String, _ values: [Value]) -> String {
        var result = ""
        var rest = format[...]
        var next = 0
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            let flags = rest.prefix { "+-# 0123456789.".contains($0) }
            rest = rest[flags.endIndex...]
            guard let verb = rest.popFirst() else { return result + "%!(NOVERB)" }
            if verb == "%" {
                result += "%"
            } else if next < values.count {
                result += text(verb, String(flags), values[next])
                next += 1
            } else {
                result += "%!\(verb)(MISSING)"
            }
        }
        result += rest
        guard next < values.count else { return result }
        let extra = values[next...].map { "\($0.goType)=\(Printing.plain($0))" }
        return result + "%!(EXTRA \(extra.joined(separator: ", ")))"
    }

    private static func text(_ verb: Character, _ flags: String, _ value: Value) -> String {
        let parts = flags.drop { "+-# 0".contains($0) }.split(separator: ".", omittingEmptySubsequences: false)
        let width = parts.first.flatMap { Int($0) } ?? 0
        let decimals = parts.count > 1 ? Int(parts[1]) ?? 0 : nil
        let plain = self.plain(verb, decimals, value)
        guard plain.count < min(width, 1_000) else { return plain }
        let padding = String(repeating: flags.hasPrefix("0") ? "0" : " ", count: min(width, 1_000) - plain.count)
        return flags.contains("-") ? plain + padding : padding + plain
    }

    private static func plain(_ verb: Character, _ decimals: Int?, _ value: Value) -> String {
        switch (verb, value) {
        case ("v", _): return Printing.plain(value)
        case ("s", .string(let text)): return decimals.map { String(String(text).prefix($0)) } ?? String(text)
        case ("s", .list), ("s", .duration), ("s", .time), ("s", .object): return Printing.plain(value)
        case ("q", .string(let text)): return "\"\(text)\""
        case ("d", .int(let number)): return String(number)
        case ("d", .duration(let span)): return String(span.nanoseconds)
        case ("x", .int(let number)): return String(number, radix: 16)
        case ("X", .int(let number)): return String(number, radix: 16, uppercase: true)
        case ("f", .float(let number)), ("F", .float(let number)):
            return FloatText.fixed(number, decimals: min(decimals ?? 6, 60))
        case ("g", .float(let number)): return Printing.float(number)
        case ("e", .float(let number)): return CFormat.format("%.\(min(decimals ?? 6, 60))e", number)
        case ("t", .bool(let bool)): return bool ? "true" : "false"
        case ("T", _): return value.goType
        default: return "%!\(verb)(\(value.goType)=\(Printing.plain(value)))"
        }
    }
}

extension Value {
    /// Go's `%T`.
    var goType: String {
        switch self {
        case .null: "<nil>"
        case .list: "[]interface {}"
        case .map: "map[string]interface {}"
        default: kind
        }
    }
}
