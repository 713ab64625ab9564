import CrowdCore

/// Cuts a stream of JSON values, one behind the other with or without space between, into the text of each.
///
/// (1) A value is handed out once it is complete and known to be JSON; it keeps its own spelling, line breaks included.
/// (2) At most `limit` bytes of one value are kept between two pieces. (3) After an error nothing more is taken.
struct JSONValueCutter {
    enum Refusal: Error, Equatable, Sendable { case malformed, tooLong }

    private static let maxDepth = 512

    private enum Place {
        case between
        case container(depth: Int)
        case text(depth: Int, isEscaped: Bool)
        /// A number or a word: it ends where the next space is.
        case scalar
    }

    private let limit: Int
    private var place = Place.between
    private var partial: [UInt8] = []
    private var refusal: Refusal?

    init(limit: Int) { self.limit = limit }

    /// Calls `body` with each value that these bytes complete; the bytes live as long as the call.
    mutating func feed(_ bytes: ByteSlice, _ body: (ByteSlice) -> Void) throws(Refusal) {
        if let refusal { throw refusal }
        var start = 0
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if case .between = place {
                if Self.isSpace(byte) { continue }
                start = at - 1
                try begin(byte)
            } else if step(byte) {
                // A scalar's space is not part of it.
                let end = Self.isSpace(byte) ? at - 1 : at
                try finish(bytes[start..<end], body)
                start = at
            }
        }
        if case .between = place { return }
        try keep(bytes[start..<bytes.count])
    }

    /// The stream has ended.
    mutating func finish(_ body: (ByteSlice) -> Void) throws(Refusal) {
        if let refusal { throw refusal }
        switch place {
        case .between: return
        case .scalar: try finish(.empty, body)
        case .container, .text: throw refuse(.malformed)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 10 || byte == 13 || byte == 9 }

    private mutating func begin(_ byte: UInt8) throws(Refusal) {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["): place = .container(depth: 1)
        case UInt8(ascii: "\""): place = .text(depth: 0, isEscaped: false)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"), UInt8(ascii: "f"),
            UInt8(ascii: "n"):
            place = .scalar
        default: throw refuse(.malformed)
        }
    }

    /// One more byte of a value; true when the value ends with it.
    private mutating func step(_ byte: UInt8) -> Bool {
        switch place {
        case .between: break
        case .scalar: return Self.isSpace(byte)
        case .text(let depth, isEscaped: true): place = .text(depth: depth, isEscaped: false)
        case .text(let depth, isEscaped: false):
            if byte == UInt8(ascii: "\\") {
                place = .text(depth: depth, isEscaped: true)
            } else if byte == UInt8(ascii: "\"") {
                place = .container(depth: depth)
                return depth == 0
            }
        case .container(let depth):
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): place = .container(depth: depth + 1)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                place = .container(depth: depth - 1)
                return depth == 1
            case UInt8(ascii: "\""): place = .text(depth: depth, isEscaped: false)
            default: break
            }
        }
        return false
    }

    private mutating func keep(_ part: ByteSlice) throws(Refusal) {
        guard partial.count + part.count <= limit else { throw refuse(.tooLong) }
        partial += part.buffer
    }

    private mutating func finish(_ tail: ByteSlice, _ body: (ByteSlice) -> Void) throws(Refusal) {
        place = .between
        guard !partial.isEmpty else { return try hand(tail, body) }
        try keep(tail)
        let whole = partial
        partial = []
        try whole.withUnsafeBufferPointer { buffer throws(Refusal) in try hand(ByteSlice(buffer), body) }
    }

    private mutating func hand(_ value: ByteSlice, _ body: (ByteSlice) -> Void) throws(Refusal) {
        guard value.count <= limit else { throw refuse(.tooLong) }
        var reader = JSONReader(value.buffer, maxDepth: Self.maxDepth)
        do {
            try reader.skip()
            try reader.finish()
        } catch {
            throw refuse(.malformed)
        }
        body(value)
    }

    private mutating func refuse(_ refusal: Refusal) -> Refusal {
        self.refusal = refusal
        partial = []
        return refusal
    }
}
