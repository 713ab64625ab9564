/// A JSON value as a tree, for cold paths; hot paths use `JSONReader` and `JSONWriter`.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    /// Members in the order of the text; a repeated key stays repeated and the last one wins in look-ups.
    case object([JSONMember])
}

/// A number that keeps its own text, so that big integers and `1.0` survive a round trip.
public struct JSONNumber: Sendable, Hashable {
    public let text: String

    public init(text: String) { self.text = text }
    public init(_ value: Int64) { text = String(value) }
    public init(_ value: Double) {
        text = Int64(exactly: value).map { String($0) } ?? value.description
    }

    /// The value, when it is written without fraction and exponent and fits.
    public var int: Int64? { Int64(text) }
    public var double: Double { Double(text) ?? 0 }
}

public struct JSONMember: Sendable, Equatable {
    public var key: String
    public var value: JSON

    public init(_ key: String, _ value: JSON) {
        self.key = key
        self.value = value
    }
}

extension JSON {
    /// Parses one whole text. `maxDepth` bounds nesting, and with it the recursion of everything done with the tree;
    /// `maxValues` bounds the tree itself, which takes up to two hundred times the room of a text of empty objects.
    public static func parse(_ bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int = 64, maxValues: Int = .max)
        throws(JSONError) -> JSON
    {
        var reader = JSONReader(bytes, maxDepth: maxDepth)
        var count = 0
        let value = try JSON(from: &reader, &count, limit: maxValues)
        try reader.finish()
        return value
    }

    public static func parse(_ bytes: [UInt8], maxDepth: Int = 64, maxValues: Int = .max) throws(JSONError) -> JSON {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
            try parse(buffer, maxDepth: maxDepth, maxValues: maxValues)
        }
    }

    /// Reads the next value; recursion is bounded by the reader's depth limit.
    public init(from reader: inout JSONReader) throws(JSONError) {
        var count = 0
        try self.init(from: &reader, &count, limit: .max)
    }

    private init(from reader: inout JSONReader, _ count: inout Int, limit: Int) throws(JSONError) {
        count += 1
        guard count <= limit else { throw .tooMany(limit: limit) }
        switch try reader.peek() {
        case .null:
            _ = try reader.null()
            self = .null
        case .bool: self = .bool(try reader.bool())
        case .number: self = .number(JSONNumber(text: String(decoding: try reader.numberText(), as: UTF8.self)))
        case .string: self = .string(try reader.string())
        case .array:
            var elements: [JSON] = []
            try reader.beginArray()
            while try reader.nextElement() { elements.append(try JSON(from: &reader, &count, limit: limit)) }
            self = .array(elements)
        case .object:
            var members: [JSONMember] = []
            try reader.beginObject()
            while let key = try reader.nextKey() {
                members.append(JSONMember(key.string, try JSON(from: &reader, &count, limit: limit)))
            }
            self = .object(members)
        }
    }

    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let number): writer.raw(number.text.utf8)
        case .string(let value): writer.string(value)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.key)
                member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }
}

extension JSON {
    /// The member of that name, if this is an object that has it.
    public subscript(_ key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var int: Int64? { if case .number(let value) = self { value.int } else { nil } }
    public var double: Double? { if case .number(let value) = self { value.double } else { nil } }
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    public var isNull: Bool { self == .null }
}
