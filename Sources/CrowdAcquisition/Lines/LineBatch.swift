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
    private let bytes: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private var used = 0
    private var ends: [Int32] = []

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

    /// Calls `body` for every line in order.
    public func withEachLine(_ body: (ByteSlice) -> Void) {
        var start = 0
        for end in ends {
            body(ByteSlice(base: bytes + start, count: Int(end) - start))
            start = Int(end)
        }
    }
}
