public import CrowdCore
public import CrowdEngine

/// Some lines of one origin, with their bytes: what passes from a data source to the engine.
///
/// Written by the source, then handed over; nobody writes to it afterwards.
public final class LineBatch: @unchecked Sendable {
    // Sendable: filled by one thread before it is put into the queue, read by one thread after it was taken out.
    public let origin: LineOrigin
    /// When the lines were read.
    public let time: Timestamp
    /// What is accounted for once the batch is.
    public var place = BatchPlace.none
    /// The lines were written while nobody read them: the time that they tell counts, not that of reading.
    public var isLate = false
    /// They are not the lines of that place any more, but what was made of them: the place alone does not give them back.
    public var isOwnText = false
    /// The place gives the same lines once more.
    public var isReadAgain: Bool { if case .file = place { !isOwnText } else { false } }
    /// Called on the engine's thread once what was handed over cannot be lost with the process any more.
    public var onAccounted: (@Sendable () -> Void)?
    private let bytes: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private var used = 0
    /// Where each line ends in `text`.
    public private(set) var ends: [Int32] = []

    public init(_ origin: LineOrigin, capacity: Int, time: Timestamp = .now()) {
        self.origin = origin
        self.time = time
        self.capacity = max(capacity, 1)
        bytes = .allocate(capacity: self.capacity)
    }

    deinit { bytes.deallocate() }

    public var count: Int { ends.count }
    public var byteCount: Int { used }

    /// Adds a line, which must fit.
    public func append(_ line: ByteSlice) {
        (bytes + used).update(from: line.base, count: line.count)
        used += line.count
        ends.append(Int32(truncatingIfNeeded: used))
    }

    /// All lines, one directly after the other.
    public var text: ByteSlice { ByteSlice(base: bytes, count: used) }

    /// Calls `body` for every line in order.
    public func withEachLine(_ body: (ByteSlice) -> Void) {
        var start = 0
        for end in ends {
            body(ByteSlice(base: bytes + start, count: Int(end) - start))
            start = Int(end)
        }
    }
}

/// Where a batch's lines come from, so that they can be read again or need not be.
public enum BatchPlace: Sendable, Equatable {
    /// They cannot be read again: a datagram, a request.
    case none
    /// They are read again at every start: a file that is read once.
    case always
    case file(FileSpan)
    /// The source goes on behind this cursor.
    case cursor(source: String, String)
}

/// The bytes of a file that a batch was cut from: whole lines, and what was skipped between them.
public struct FileSpan: Sendable, Equatable {
    public var start: Int64
    public var end: FilePosition
    /// Longest line kept, in bytes, when it was cut.
    public var maxLine: Int
    /// Of a file that has lost its name: where to go on is decided by the one that has it now.
    public var isLeft = false

    public init(start: Int64, end: FilePosition, maxLine: Int, isLeft: Bool = false) {
        self.start = start
        self.end = end
        self.maxLine = maxLine
        self.isLeft = isLeft
    }
}
