import CrowdCore
import Glibc
import Synchronization

/// Standard output and error of a command line tool.
struct Terminal: Sendable {
    /// Level from which log lines are shown.
    var level = LogLevel.info
    var logsJSON = false
    var isColored = isatty(2) == 1
    /// Takes what is printed, instead of standard output.
    var page: Page?

    /// Printed text that is kept.
    final class Page: Sendable {
        private let content = Mutex("")
        var text: String { content.withLock { $0 } }
        fileprivate func append(_ text: String) { content.withLock { $0 += text } }
    }

    func print(_ text: String, terminator: String = "\n") {
        guard let page else { return Self.write(text + terminator, to: 1) }
        page.append(text + terminator)
    }

    /// A log line on standard error: `level=info msg="…"`, or coloured words when a person looks.
    func log(_ level: LogLevel, _ message: String) {
        guard level >= self.level else { return }
        if logsJSON {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("level", level.rawValue)
            writer.member("msg", message)
            writer.endObject()
            Self.write(String(decoding: writer.bytes, as: UTF8.self) + "\n", to: 2)
        } else if isColored {
            let label = "\u{1B}[\(level.terminalColor)m\(level.rawValue.uppercased())\u{1B}[0m"
            Self.write("\(label) \(message.printable)\n", to: 2)
        } else {
            Self.write("level=\(level.rawValue) msg=\(Self.quoted(message.printable))\n", to: 2)
        }
    }

    func error(_ text: String) {
        let label = isColored ? "\u{1B}[31mError:\u{1B}[0m" : "Error:"
        Self.write("\(label) \(text.printable)\n", to: 2)
    }

    /// Written over by what follows; the caller ends the line.
    static func progress(_ text: String) { write(text, to: 2) }

    /// Plain text on standard error.
    func note(_ text: String) { Self.write(text + "\n", to: 2) }

    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._/@^+".utf8.contains(byte)
                }
            }
        if isPlain { return text }
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        return "\"\(escaped)\""
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
