import CrowdCore
import CrowdEngine
import Glibc

/// Cuts a stream of bytes into lines and puts them into batches.
///
/// (1) A line is a line once its newline is there; what follows the last newline waits. (2) Of a line longer than
/// `maxLine` the beginning is kept and the rest dropped and counted. (3) A trailing CR goes; empty lines are skipped.
struct LineCutter {
    let origin: LineOrigin
    let maxLine: Int
    private var partial: [UInt8] = []
    /// The rest of a line that was too long is being dropped.
    private var isDropping = false
    private(set) var longLines = 0

    init(_ origin: LineOrigin, maxLine: Int) {
        self.origin = origin
        self.maxLine = maxLine
    }

    /// Bytes of a line whose newline has not come yet, the dropped ones too.
    private(set) var pendingBytes: Int64 = 0

    /// Cuts one block; the batch is nil when it completed no line.
    mutating func cut(_ block: UnsafeBufferPointer<UInt8>, at time: Timestamp = .now()) -> LineBatch? {
        guard let base = block.baseAddress else { return nil }
        let batch = LineBatch(origin, capacity: block.count + partial.count, time: time)
        var at = 0
        while at < block.count, let newline = memchr(base + at, 10, block.count - at) {
            let end = base.distance(to: newline.assumingMemoryBound(to: UInt8.self))
            finish(ByteSlice(base: base + at, count: end - at), into: batch)
            at = end + 1
        }
        pendingBytes = at > 0 ? Int64(block.count - at) : pendingBytes + Int64(block.count)
        if at < block.count { keep(ByteSlice(base: base + at, count: block.count - at)) }
        return batch.count > 0 ? batch : nil
    }

    /// The last line of a file that does not end in a newline: for reading a file once.
    mutating func rest() -> LineBatch? {
        guard !partial.isEmpty else { return nil }
        let batch = LineBatch(origin, capacity: partial.count)
        finish(.empty, into: batch)
        return batch.count > 0 ? batch : nil
    }

    private mutating func finish(_ tail: ByteSlice, into batch: LineBatch) {
        if isDropping {
            isDropping = false
            if !partial.isEmpty { partial.withUnsafeBufferPointer { add(ByteSlice($0), to: batch) } }
            return partial.removeAll(keepingCapacity: true)
        }
        guard !partial.isEmpty else { return add(tail, to: batch) }
        keep(tail)
        isDropping = false
        partial.withUnsafeBufferPointer { add(ByteSlice($0), to: batch) }
        partial.removeAll(keepingCapacity: partial.capacity < 256 * 1024)
    }

    private mutating func keep(_ part: ByteSlice) {
        let room = max(maxLine + 1 - partial.count, 0)
        partial += part[0..<min(room, part.count)].buffer
        if part.count > room { isDropping = true }
    }

    private mutating func add(_ line: ByteSlice, to batch: LineBatch) {
        var line = line
        if line.count > maxLine {
            longLines += 1
            line = line[0..<maxLine]
        } else if line.count > 0, line[line.count - 1] == 13 {
            line = line[0..<(line.count - 1)]
        }
        guard line.count > 0 else { return }
        batch.append(line)
    }
}
