public import CrowdCore

/// JSON and base64.
enum EncodingFunctions {
    static let all: [Function] = [
        Function("toJSON", [.any], .string) { call throws(ValueError) in
            call.string(try ValueJSON.text(call[0], indent: 2))
        },
        Function("fromJSON", [.string], .any) { call throws(ValueError) in
            try ValueJSON.parse(call.text(0), arena: call.arena)
        },
        Function("toBase64", [.string], .string) { call throws(ValueError) in
            call.string(Base64.encode(Array(try call.text(0).buffer)))
        },
        Function("fromBase64", [.string], .string) { call throws(ValueError) in
            guard let bytes = Base64.decode(try call.string(0)) else { throw ValueError("illegal base64 data") }
            return .string(call.arena.copy(bytes))
        },
    ]
}

/// JSON text from and to values.
public enum ValueJSON {
    /// Parses a whole JSON text; numbers are floats, as Go decodes them. Text without escapes is not copied.
    public static func parse(_ text: ByteSlice, arena: Arena) throws(ValueError) -> Value {
        var reader = JSONReader(text.buffer)
        do {
            let value = try read(&reader, arena)
            try reader.finish()
            return value
        } catch {
            throw ValueError(error.description)
        }
    }

    /// The members of a JSON object, into `map`.
    public static func parse(_ text: ByteSlice, into map: MapValue, arena: Arena) throws(ValueError) {
        guard case .map(let object) = try parse(text, arena: arena) else { throw ValueError("not a JSON object") }
        for (key, value) in zip(object.keys, object.values) { map.set(key, value) }
    }

    private static func read(_ reader: inout JSONReader, _ arena: Arena) throws(JSONError) -> Value {
        switch try reader.peek() {
        case .null:
            _ = try reader.null()
            return .null
        case .bool: return .bool(try reader.bool())
        case .number: return .float(try reader.double())
        case .string: return .string(slice(try reader.text(), arena))
        case .array:
            var items: [Value] = []
            try reader.beginArray()
            while try reader.nextElement() { items.append(try read(&reader, arena)) }
            return .list(ListValue(items))
        case .object:
            let map = MapValue()
            try reader.beginObject()
            while let key = try reader.nextKey() { map.set(slice(key, arena), try read(&reader, arena)) }
            return .map(map)
        }
    }

    /// Copied: the source text may be shorter-lived than the value.
    private static func slice(_ text: JSONText, _ arena: Arena) -> ByteSlice {
        text.hasEscapes ? arena.copy(text.unescaped()) : arena.copy(ByteSlice(text.raw))
    }

    /// JSON text: keys sorted; with `indent`, one member a line; `escapingHTML` writes `<`, `>`, `&` as `\u00xx`.
    public static func text(_ value: Value, indent: Int = 0, escapingHTML: Bool = true) throws(ValueError) -> String {
        var writer = ValueJSONWriter(indent: indent, escapesHTML: escapingHTML)
        try writer.write(value, depth: 0)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

private struct ValueJSONWriter {
    let indent: Int
    let escapesHTML: Bool
    var bytes: [UInt8] = []

    init(indent: Int, escapesHTML: Bool) {
        self.indent = indent
        self.escapesHTML = escapesHTML
    }

    mutating func write(_ value: Value, depth: Int) throws(ValueError) {
        guard depth < 128 else { throw ValueError("json: value is nested too deeply") }
        switch value {
        case .null: bytes += "null".utf8
        case .bool(let bool): bytes += (bool ? "true" : "false").utf8
        case .int(let number): bytes += String(number).utf8
        case .float(let number):
            guard number.isFinite else { throw ValueError("json: unsupported value: \(Printing.float(number))") }
            bytes += FloatText.json(number).utf8
        case .string(let text): string(String(text))
        case .time(let time): string(time.rfc3339Nano)
        case .duration(let span): bytes += String(span.nanoseconds).utf8
        case .list(let list):
            try container("[", "]", list.items, depth) { (writer, item) throws(ValueError) in
                try writer.write(item, depth: depth + 1)
            }
        case .map(let map): try object(Printing.sortedEntries(map), depth)
        case .object(let object): try self.object(fields(of: object), depth)
        }
    }

    private func fields(of object: any ValueObject) -> [(ByteSlice, Value)] {
        object.type.fieldNames.compactMap { name in
            object.type.field(named: name).map { (Immortal.copy(name), object.field($0.index)) }
        }
    }

    private mutating func object(_ entries: [(ByteSlice, Value)], _ depth: Int) throws(ValueError) {
        try container("{", "}", entries, depth) { (writer, entry) throws(ValueError) in
            writer.string(String(entry.0))
            writer.bytes += (writer.indent > 0 ? ": " : ":").utf8
            try writer.write(entry.1, depth: depth + 1)
        }
    }

    private mutating func container<T>(
        _ open: String, _ close: String, _ items: [T], _ depth: Int,
        _ body: (inout Self, T) throws(ValueError) -> Void
    ) throws(ValueError) {
        bytes += open.utf8
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            line(depth + 1)
            try body(&self, item)
        }
        if !items.isEmpty { line(depth) }
        bytes += close.utf8
    }

    private mutating func line(_ depth: Int) {
        guard indent > 0 else { return }
        bytes.append(10)
        bytes += Array(repeating: 32, count: indent * depth)
    }

    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": bytes += "\\\"".utf8
            case "\\": bytes += "\\\\".utf8
            case "\n": bytes += "\\n".utf8
            case "\r": bytes += "\\r".utf8
            case "\t": bytes += "\\t".utf8
            case "\u{8}": bytes += "\\b".utf8
            case "\u{c}": bytes += "\\f".utf8
            case "<" where escapesHTML, ">" where escapesHTML, "&" where escapesHTML: escape(scalar)
            case "\u{2028}", "\u{2029}": escape(scalar)
            default:
                if scalar.value < 32 { escape(scalar) } else { bytes += String(scalar).utf8 }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ scalar: Unicode.Scalar) {
        let digits = String(scalar.value, radix: 16)
        bytes += ("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8
    }
}
