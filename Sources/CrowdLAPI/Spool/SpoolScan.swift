internal import Glibc

/// Reads a spool file from front to back and tells what is alive in it. One record in memory at a time.
struct SpoolScan {
    private let fd: Int32
    private var alive: [UInt64: SpoolJournal.Entry] = [:]
    private(set) var lastSequence: UInt64 = 0
    /// Behind the last whole record.
    private(set) var end = 0
    private(set) var damagedBytes = 0

    init(fd: Int32) { self.fd = fd }

    /// Alerts without acknowledgement, oldest first.
    var live: [SpoolJournal.Entry] { alive.values.sorted { $0.sequence < $1.sequence } }

    mutating func run() {
        var offset = 0
        while let header = bytes(at: offset, count: SpoolRecord.headerBytes) {
            if let length = take(header, at: offset) {
                offset += SpoolRecord.headerBytes + length
                end = offset
            } else {
                offset += 1
                damagedBytes += 1
            }
        }
        var status = stat()
        if fstat(fd, &status) == 0 { damagedBytes += max(0, Int(status.st_size) - offset) }
    }

    /// Takes the record whose header is at `offset`; the length of its payload, `nil` if it is none or damaged.
    private mutating func take(_ bytes: [UInt8], at offset: Int) -> Int? {
        let place = offset + SpoolRecord.headerBytes
        guard let header = SpoolRecord.Header(bytes), let payload = self.bytes(at: place, count: header.length),
            header.matches(payload)
        else { return nil }
        lastSequence = max(lastSequence, header.sequence)
        switch header.kind {
        case .alert:
            alive[header.sequence] = .init(sequence: header.sequence, offset: place, length: header.length)
        case .acknowledged:
            let record = SpoolRecord(kind: header.kind, sequence: header.sequence, payload: payload)
            forget(record.acknowledged)
        }
        return header.length
    }

    private mutating func forget(_ range: ClosedRange<UInt64>) {
        if range.upperBound - range.lowerBound > UInt64(alive.count) {
            alive = alive.filter { !range.contains($0.key) }
        } else {
            for sequence in range { alive[sequence] = nil }
        }
    }

    private func bytes(at offset: Int, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(fd, &bytes, count, off_t(offset)) == count ? bytes : nil
    }
}
