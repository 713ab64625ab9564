import CrowdCore

/// Finds the messages in a stream of syslog (RFC 6587), however it is cut into pieces.
///
/// (1) A stream whose first message is `LENGTH SPACE <…` counts octets throughout; any other ends messages with a line
/// feed. (2) Of a message longer than `limit` the beginning is kept and the rest dropped. (3) At most `limit`
/// bytes are kept between two pieces. (4) A length that is none, or beyond `mostOctets`, means that the place in the
/// stream is lost for good: the stream is over.
struct SyslogFramer {
    /// A longer message is not one.
    static let mostOctets = 1 << 20
    private static let mostDigits = 7

    private enum State {
        /// Nothing but the bytes in `partial` came yet: too few to tell.
        case undecided
        case lines
        /// Reading a length, its digits in `partial`.
        case length
        /// So many bytes of the message are still to come.
        case octets(Int)
        case lost
    }

    private let limit: Int
    private var state = State.undecided
    private var partial: [UInt8] = []
    private(set) var cut = 0

    init(limit: Int) { self.limit = limit }

    /// The stream makes no sense any more and is to be closed.
    var isLost: Bool { if case .lost = state { true } else { false } }

    /// Calls `body` with each message that is complete. The bytes live as long as the call.
    mutating func feed(_ bytes: ByteSlice, _ body: (ByteSlice) -> Void) {
        guard case .undecided = state else { return advance(bytes, body) }
        partial += bytes.buffer
        guard decide() else { return }
        let begun = partial
        partial = []
        begun.withUnsafeBufferPointer { advance(ByteSlice($0), body) }
    }

    /// The stream has ended: a last line without its line feed counts, half a counted message does not.
    mutating func finish(_ body: (ByteSlice) -> Void) {
        switch state {
        case .undecided, .lines: emit(.empty, body)
        case .length, .octets, .lost: partial = []
        }
    }

    /// Whether the first bytes show how messages are framed; nothing is decided while more digits may come.
    private mutating func decide() -> Bool {
        let digits = partial.prefix { (48...57).contains($0) }.count
        if digits == partial.count, digits <= Self.mostDigits { return false }
        guard (1...Self.mostDigits).contains(digits), partial[digits] == UInt8(ascii: " ") else {
            state = .lines
            return true
        }
        guard partial.count > digits + 1 else { return false }
        state = partial[digits + 1] == UInt8(ascii: "<") ? .length : .lines
        return true
    }

    private mutating func advance(_ bytes: ByteSlice, _ body: (ByteSlice) -> Void) {
        var rest = bytes
        while !rest.isEmpty {
            switch state {
            case .undecided, .lines: rest = takeLine(rest, body)
            case .length: rest = takeLength(rest)
            case .octets(let left): rest = takeOctets(rest, left, body)
            case .lost: return
            }
        }
    }

    private mutating func takeLine(_ bytes: ByteSlice, _ body: (ByteSlice) -> Void) -> ByteSlice {
        guard let end = bytes.firstIndex(of: 10) else {
            keep(bytes)
            return .empty
        }
        emit(bytes[0..<end], body)
        return bytes[(end + 1)..<bytes.count]
    }

    private mutating func takeLength(_ bytes: ByteSlice) -> ByteSlice {
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9") where partial.count < Self.mostDigits: partial.append(byte)
            case UInt8(ascii: " ") where !partial.isEmpty:
                let count = Int(String(decoding: partial, as: UTF8.self)) ?? 0
                partial = []
                state = (1...Self.mostOctets).contains(count) ? .octets(count) : .lost
                return bytes[at..<bytes.count]
            // Some senders end counted messages with a line feed as well.
            case _ where partial.isEmpty && (byte == 10 || byte == 13 || byte == 0): break
            default:
                state = .lost
                return .empty
            }
        }
        return .empty
    }

    private mutating func takeOctets(_ bytes: ByteSlice, _ left: Int, _ body: (ByteSlice) -> Void) -> ByteSlice {
        let count = min(left, bytes.count)
        if count < left {
            keep(bytes[0..<count])
            state = .octets(left - count)
        } else {
            state = .length
            emit(bytes[0..<count], body)
        }
        return bytes[count..<bytes.count]
    }

    /// Keeps the beginning of a message, one byte more than the limit so that it shows.
    private mutating func keep(_ part: ByteSlice) {
        let room = max(limit + 1 - partial.count, 0)
        partial += part[0..<min(room, part.count)].buffer
    }

    private mutating func emit(_ tail: ByteSlice, _ body: (ByteSlice) -> Void) {
        guard !partial.isEmpty else { return emit(whole: tail, body) }
        keep(tail)
        let whole = partial
        partial = []
        whole.withUnsafeBufferPointer { emit(whole: ByteSlice($0), body) }
    }

    private mutating func emit(whole message: ByteSlice, _ body: (ByteSlice) -> Void) {
        guard !message.isEmpty else { return }
        if message.count > limit { cut += 1 }
        body(message[0..<min(message.count, limit)])
    }
}
