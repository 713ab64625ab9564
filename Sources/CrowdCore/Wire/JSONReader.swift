/// A pull reader over the bytes of one JSON text: the caller asks for what it expects, nothing is built in between.
///
/// (1) The bytes must outlive the reader and every `JSONText` it returned.
/// (2) No recursion anywhere; containers nest at most `maxDepth` deep, so hostile input costs its own length only.
/// (3) After an error the reader's position is unspecified: stop reading.
///
///     try reader.beginObject()
///     while let key = try reader.nextKey() {
///         switch key {
///         case "value": value = try reader.string()
///         default: try reader.skip()
///         }
///     }
///     try reader.finish()
public struct JSONReader {
    /// The kind of the next value, told by its first byte.
    public enum Kind: String, Sendable { case object, array, string, number, bool, null }

    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    private let maxDepth: Int
    private var depth = 0
    private let maxElements: Int
    private var elements = 0
    /// True between the opening bracket of a container and its first member.
    private var atContainerStart = false

    /// - Parameter maxElements: of all arrays together that are read one by one, for who keeps each in memory.
    public init(_ bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int = 64, maxElements: Int = .max) {
        self.bytes = bytes
        self.maxDepth = maxDepth
        self.maxElements = maxElements
    }

    /// Bytes read so far.
    public var offset: Int { position }

    // MARK: Structure

    /// The kind of the next value, which stays unread.
    public mutating func peek() throws(JSONError) -> Kind {
        skipSpace()
        guard position < bytes.count else { throw position == 0 || depth == 0 ? .empty : .truncated }
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw unexpected("looking for beginning of value")
        }
    }

    public mutating func beginObject() throws(JSONError) { try open(.object, "object") }
    public mutating func beginArray() throws(JSONError) { try open(.array, "array") }

    /// The next key of the current object, or nil behind its last member. The member's value must be read or skipped.
    public mutating func nextKey() throws(JSONError) -> JSONText? {
        guard try nextMember(closing: UInt8(ascii: "}"), context: "after object key:value pair") else { return nil }
        skipSpace()
        guard position < bytes.count else { throw .truncated }
        guard bytes[position] == UInt8(ascii: "\"") else {
            throw unexpected("looking for beginning of object key string")
        }
        let key = try scanString()
        skipSpace()
        guard position < bytes.count else { throw .truncated }
        guard bytes[position] == UInt8(ascii: ":") else { throw unexpected("after object key") }
        position += 1
        return key
    }

    /// Whether the current array has another element; false consumes the closing bracket.
    public mutating func nextElement() throws(JSONError) -> Bool {
        guard try nextMember(closing: UInt8(ascii: "]"), context: "after array element") else { return false }
        elements += 1
        guard elements <= maxElements else { throw .tooMany(limit: maxElements) }
        return true
    }

    /// Checks that only white space is left.
    public mutating func finish() throws(JSONError) {
        skipSpace()
        guard position == bytes.count else { throw unexpected("after top-level value") }
    }

    /// Reads over the next value, checking its form.
    public mutating func skip() throws(JSONError) {
        let floor = depth
        repeat {
            if depth > floor {
                let inObject = openObjects.last ?? false
                let more = inObject ? try nextKey() != nil : try nextElement()
                guard more else {
                    openObjects.removeLast()
                    continue
                }
            }
            switch try peek() {
            case .object:
                try beginObject()
                openObjects.append(true)
            case .array:
                try beginArray()
                openObjects.append(false)
            case .string: _ = try text()
            case .number: _ = try numberText()
            case .bool: _ = try bool()
            case .null: _ = try null()
            }
        } while depth > floor
    }

    /// Containers opened by `skip`, innermost last: true for an object.
    private var openObjects: [Bool] = []

    /// The bytes of the next value as they stand, checked.
    public mutating func rawValue() throws(JSONError) -> UnsafeBufferPointer<UInt8> {
        _ = try peek()
        let start = position
        try skip()
        return UnsafeBufferPointer(rebasing: bytes[start..<position])
    }

    private mutating func open(_ kind: Kind, _ name: String) throws(JSONError) {
        try expect(kind, as: name)
        guard depth < maxDepth else { throw .tooDeep(limit: maxDepth) }
        position += 1
        depth += 1
        atContainerStart = true
    }

    private mutating func nextMember(closing: UInt8, context: String) throws(JSONError) -> Bool {
        skipSpace()
        guard position < bytes.count else { throw .truncated }
        let byte = bytes[position]
        let isFirst = atContainerStart
        atContainerStart = false
        if byte == closing {
            position += 1
            depth -= 1
            return false
        }
        if isFirst { return true }
        guard byte == UInt8(ascii: ",") else { throw unexpected(context) }
        position += 1
        return true
    }

    mutating func expect(_ kind: Kind, as expected: String) throws(JSONError) {
        let found = try peek()
        guard found == kind else { throw .mismatch(found: found.rawValue, expected: expected, offset: position) }
        atContainerStart = false
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    func unexpected(_ context: String) -> JSONError {
        position < bytes.count ? .unexpected(byte: bytes[position], offset: position, context: context) : .truncated
    }
}
