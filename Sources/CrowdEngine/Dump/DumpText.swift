import CrowdCore
import CrowdExpr
import CrowdText

/// Recorded events as the YAML that CrowdSec's agent writes for `-dump-data` (engine facts G.3): Go's field names as its
/// structures spell them, in their order, without what is empty; map keys sorted; lists at the depth of their key.
struct DumpText {
    private(set) var bytes: [UInt8] = []
    /// A list's dash was just written: the next member stands on its line.
    private var isAfterDash = false
    /// Deeper values, which no log line of ours has, are null.
    private static let deepest = 64

    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// `name:` with what belongs under it.
    mutating func key(_ name: String, at indent: Int) {
        begin(at: indent)
        add(YAMLNode.scalarText(name) + ":")
    }

    /// The rest of a line.
    mutating func rest(_ text: String) {
        if !text.isEmpty { add(" " + text) }
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func dash(at indent: Int) {
        begin(at: indent)
        add("- ")
        isAfterDash = true
    }

    mutating func member(_ name: String, _ value: Value, at indent: Int) {
        key(name, at: indent)
        write(value, at: indent, depth: 0)
    }

    /// The members of a structure.
    mutating func object(_ object: any ValueObject, at indent: Int) {
        for (name, value) in DumpForm.members(of: object) { member(name, value, at: indent) }
    }

    private mutating func begin(at indent: Int) {
        if !isAfterDash { bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent)) }
        isAfterDash = false
    }

    private mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// What follows a key or stands in a list, up to the line's end.
    private mutating func write(_ value: Value, at indent: Int, depth: Int) {
        guard depth < Self.deepest else { return rest("null") }
        switch value {
        case .null: rest("null")
        case .bool(let holds): rest(holds ? "true" : "false")
        case .int(let number): rest(String(number))
        case .float(let number): rest(Self.text(number))
        case .string(let text): rest(Self.text(text))
        case .time(let time): rest(time.rfc3339Nano)
        case .duration(let span): rest(span.description)
        case .list(let list): write(list.items, at: indent, depth: depth)
        case .map(let map):
            let entries = zip(map.keys, map.values).sorted { $0.0 < $1.0 }.map { (String($0.0), $0.1) }
            write(entries, at: indent, depth: depth)
        case .object(let object): write(DumpForm.members(of: object), at: indent, depth: depth)
        }
    }

    private mutating func write(_ members: [(String, Value)], at indent: Int, depth: Int) {
        guard !members.isEmpty else { return rest("{}") }
        // Within a list the first member stands on the dash's line.
        if !isAfterDash { bytes.append(UInt8(ascii: "\n")) }
        for (name, value) in members {
            key(name, at: indent + 2)
            write(value, at: indent + 2, depth: depth + 1)
        }
    }

    private mutating func write(_ items: [Value], at indent: Int, depth: Int) {
        guard !items.isEmpty else { return rest("[]") }
        if !isAfterDash { bytes.append(UInt8(ascii: "\n")) }
        for item in items {
            dash(at: indent)
            if Self.isScalar(item) {
                isAfterDash = false
                bytes.removeLast()
            }
            write(item, at: Self.isList(item) ? indent + 2 : indent, depth: depth + 1)
        }
    }

    private static func isList(_ value: Value) -> Bool {
        if case .list = value { true } else { false }
    }

    /// What takes one line, empty collections among it.
    private static func isScalar(_ value: Value) -> Bool {
        switch value {
        case .list(let list): list.items.isEmpty
        case .map(let map): map.count == 0
        case .object: false
        default: true
        }
    }

    private static func text(_ number: Double) -> String {
        if number.isNaN { return ".nan" }
        if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
        return Printing.plain(.float(number))
    }

    /// Bytes that are no UTF-8 keep their values, in base 64.
    private static func text(_ text: ByteSlice) -> String {
        guard UTF8Check.isValid(text) else { return "!!binary " + Base64.encode(Array(text.buffer)) }
        return YAMLNode.scalarText(String(text))
    }
}
