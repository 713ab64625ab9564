/// One log message on its way out.
struct LogRecord: Sendable {
    var time: Timestamp
    var level: LogLevel
    var message: String
    /// Sorted by name.
    var fields: [(name: String, value: String)]

    /// logrus' text format: `time="2026-11-21T08:17:29Z" level=info msg="…" key=value`.
    func appendText(to out: inout [UInt8], withTime: Bool = true) {
        if withTime { out.append(contentsOf: "time=\"\(time.rfc3339)\" ".utf8) }
        out.append(contentsOf: "level=\(level.rawValue) msg=".utf8)
        Self.appendValue(message, to: &out)
        appendFields(to: &out)
        out.append(UInt8(ascii: "\n"))
    }

    /// logrus' terminal format: `INFO[2026-11-21T08:17:29Z] message  key=value`, in colour.
    func appendColored(to out: inout [UInt8]) {
        let name = level == .warning ? "WARN" : level.rawValue.uppercased()
        out.append(contentsOf: "\u{1B}[\(level.terminalColor)m\(name)\u{1B}[0m[\(time.rfc3339)] ".utf8)
        Self.appendPrintable(message, to: &out)
        appendFields(to: &out)
        out.append(UInt8(ascii: "\n"))
    }

    /// logrus' JSON format, one object per line.
    func appendJSON(to out: inout [UInt8]) {
        var writer = JSONWriter()
        writer.beginObject()
        for field in fields where !["level", "msg", "time"].contains(field.name) {
            writer.key(field.name)
            writer.string(field.value)
        }
        writer.key("level")
        writer.string(level.rawValue)
        writer.key("msg")
        writer.string(message)
        writer.key("time")
        writer.string(time.rfc3339)
        writer.endObject()
        out.append(contentsOf: writer.bytes)
        out.append(UInt8(ascii: "\n"))
    }

    private func appendFields(to out: inout [UInt8]) {
        for field in fields {
            out.append(UInt8(ascii: " "))
            Self.appendPrintable(field.name, to: &out)
            out.append(UInt8(ascii: "="))
            Self.appendValue(field.value, to: &out)
        }
    }

    /// As is if logrus would not quote it, else in quotes.
    private static func appendValue(_ value: String, to out: inout [UInt8]) {
        let bare = value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "-._/@^+".utf8.contains(byte)
            }
        }
        if bare { return out.append(contentsOf: value.utf8) }
        out.append(UInt8(ascii: "\""))
        appendEscaped(value, to: &out, quotes: true)
        out.append(UInt8(ascii: "\""))
    }

    private static func appendPrintable(_ value: String, to out: inout [UInt8]) {
        appendEscaped(value, to: &out, quotes: false)
    }

    /// Control bytes never reach the log as they are: what is logged may come from an attacker.
    private static func appendEscaped(_ value: String, to out: inout [UInt8], quotes: Bool) {
        var value = value
        value.withUTF8 { bytes in
            var start = 0
            for at in bytes.indices where isEscaped(bytes[at], quotes: quotes) {
                out.append(contentsOf: bytes[start..<at])
                appendEscaped(bytes[at], to: &out, quotes: quotes)
                start = at + 1
            }
            out.append(contentsOf: bytes[start...])
        }
    }

    private static func isEscaped(_ byte: UInt8, quotes: Bool) -> Bool {
        byte < 0x20 || byte == 0x7F || quotes && (byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\""))
    }

    private static func appendEscaped(_ byte: UInt8, to out: inout [UInt8], quotes: Bool) {
        switch byte {
        case UInt8(ascii: "\\") where quotes, UInt8(ascii: "\"") where quotes:
            out.append(UInt8(ascii: "\\"))
            out.append(byte)
        case UInt8(ascii: "\n"): out.append(contentsOf: "\\n".utf8)
        case UInt8(ascii: "\t"): out.append(contentsOf: "\\t".utf8)
        case UInt8(ascii: "\r"): out.append(contentsOf: "\\r".utf8)
        case 0..<0x20, 0x7F:
            let digits = String(byte, radix: 16)
            out.append(contentsOf: "\\x\(digits.count == 1 ? "0" : "")\(digits)".utf8)
        default: out.append(byte)
        }
    }
}
