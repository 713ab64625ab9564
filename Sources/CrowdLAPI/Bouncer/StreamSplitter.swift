internal import CrowdCore

/// Cuts the answer of `/v1/decisions/stream` into its decisions while it arrives, so that a list of a million is never
/// in memory as text.
///
/// (1) Every byte is looked at once; at most one decision is buffered, of at most `maxObjectBytes`.
/// (2) Only `new` and `deleted` at the top are lists of decisions, or null; anything else is read over.
/// (3) `isComplete` after the closing brace; an answer that was cut off never is, nor one without `new`: somebody else's
///     JSON must not pass for an empty list.
///
/// Depth 0 is outside, 1 in the top object, 2 in a list, 3 and more in a decision.
struct StreamSplitter {
    enum List: Equatable, Sendable { case new, deleted }

    enum Failure: Error, Equatable { case malformed, tooLong }

    static let maxObjectBytes = 64 * 1024

    private var depth = 0
    private var inString = false
    private var escaped = false
    private var list: List?
    /// A string at depth 1: the key whose list comes next.
    private var key: [UInt8] = []
    /// Behind a colon at depth 1.
    private var awaitsValue = false
    private var isValue = false
    private var hasNew = false
    /// The decision being collected.
    private var object: [UInt8] = []
    private var hasEnded = false
    private(set) var isComplete = false

    /// Feeds a piece and hands out each decision that it completes.
    mutating func feed(
        _ piece: UnsafeBufferPointer<UInt8>, _ emit: (List, UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        for byte in piece {
            if depth >= 3 { try keep(byte) }
            if inString {
                string(byte)
            } else {
                try structure(byte, emit)
            }
        }
    }

    private mutating func string(_ byte: UInt8) {
        if escaped {
            escaped = false
        } else if byte == UInt8(ascii: "\\") {
            escaped = true
        } else if byte == UInt8(ascii: "\"") {
            inString = false
        } else if depth == 1 && !isValue && key.count < 16 {
            key.append(byte)
        }
    }

    private mutating func structure(
        _ byte: UInt8, _ emit: (List, UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        if depth == 1 { try top(byte) }
        switch byte {
        case UInt8(ascii: "\""):
            guard depth > 0 else { throw .malformed }
            inString = true
            if depth == 1 && !isValue { key.removeAll(keepingCapacity: true) }
        case UInt8(ascii: "{"), UInt8(ascii: "["): try open(byte)
        case UInt8(ascii: "}"), UInt8(ascii: "]"): try close(byte, emit)
        default: guard depth > 0 || Self.isSpace(byte) else { throw .malformed }
        }
    }

    /// Follows keys and values of the top object: what is a list of decisions must be one.
    private mutating func top(_ byte: UInt8) throws(Failure) {
        switch byte {
        case UInt8(ascii: ":"): (awaitsValue, isValue) = (true, true)
        case UInt8(ascii: ","): isValue = false
        case _ where awaitsValue && !Self.isSpace(byte):
            awaitsValue = false
            let isNew = key.elementsEqual("new".utf8)
            guard isNew || key.elementsEqual("deleted".utf8) else { return }
            guard byte == UInt8(ascii: "[") || byte == UInt8(ascii: "n") else { throw .malformed }
            hasNew = hasNew || isNew
        default: return
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private mutating func open(_ byte: UInt8) throws(Failure) {
        guard !hasEnded, depth > 0 || byte == UInt8(ascii: "{") else { throw .malformed }
        if depth == 1 {
            let isNew = key.elementsEqual("new".utf8)
            let isDeleted = key.elementsEqual("deleted".utf8)
            list = byte == UInt8(ascii: "[") ? (isNew ? .new : isDeleted ? .deleted : nil) : nil
        }
        depth += 1
        if depth == 3 {
            object.removeAll(keepingCapacity: true)
            try keep(byte)
        }
    }

    private mutating func close(
        _ byte: UInt8, _ emit: (List, UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        guard depth > 0 else { throw .malformed }
        depth -= 1
        hasEnded = depth == 0
        isComplete = hasEnded && hasNew
        guard depth == 2, let list else { return }
        try object.withUnsafeBufferPointer { (bytes) throws(Failure) in try emit(list, bytes) }
    }

    private mutating func keep(_ byte: UInt8) throws(Failure) {
        guard list != nil else { return }
        guard object.count < Self.maxObjectBytes else { throw .tooLong }
        object.append(byte)
    }
}
