import CrowdCore
import CrowdEngine

/// Lines that are gathered before it is known how many there will be; then a batch of just that size.
struct LineCollector {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    var byteCount: Int { bytes.count }
    var count: Int { ends.count }

    mutating func append(_ line: ByteSlice) {
        bytes += line.buffer
        ends.append(bytes.count)
    }

    /// What was gathered; nil when nothing was. It begins anew.
    mutating func batch(_ origin: LineOrigin, time: Timestamp = .now()) -> LineBatch? {
        guard !ends.isEmpty else { return nil }
        let batch = LineBatch(origin, capacity: bytes.count, time: time)
        bytes.withUnsafeBufferPointer { buffer in
            var start = 0
            for end in ends {
                batch.append(ByteSlice(UnsafeBufferPointer(rebasing: buffer[start..<end])))
                start = end
            }
        }
        bytes.removeAll(keepingCapacity: bytes.capacity <= 64 * 1024)
        ends.removeAll(keepingCapacity: ends.capacity <= 4 * 1024)
        return batch
    }
}
