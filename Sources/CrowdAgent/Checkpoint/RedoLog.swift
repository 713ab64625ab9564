import CrowdCore
import Glibc

/// The file of redo records since one checkpoint, written with one system call each and never synced: it survives the
/// process, and a power cut costs what was not yet written back (those lines are read again, as new ones).
///
///     length of the record 4 | of the text 4 | hash 4 | record | text: the batch's lines, if they are kept here
///
/// The text goes from the batch to the system without a copy of ours.
///
/// The file may be one that an earlier checkpoint no longer needs: writing over it costs the system a third of what a
/// file costs that grows. What is left of its old records does not count, since the hash, which also tells a record that was
/// torn or has rotted, is keyed by the generation. It is the one of texts: a CRC-32 takes four times as long.
struct RedoLog: ~Copyable {
    private let fd: Int32
    private let generation: UInt64
    let path: String
    private(set) var bytes = 0
    private var hasFailed = false
    /// The last record, whose room the next one takes.
    private var frame = ByteWriter()
    private static let header = 12
    private static let roomToKeep = 1 << 20

    /// - Parameter spare: a file that may be written over; it goes. Nothing is amiss when there is none.
    init(path: String, generation: UInt64, spare: String? = nil) throws(SystemFailure) {
        self.path = path
        self.generation = generation
        let isRecycled = spare.map { rename($0, path) == 0 } ?? false
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (isRecycled ? 0 : O_TRUNC), 0o600)
        guard fd >= 0 else { throw SystemFailure("open \(path)") }
    }

    deinit { close(fd) }

    /// - Throws: when the disk does not take it: said once by the caller; later records are not tried.
    mutating func append(_ record: RedoRecord) throws(SystemFailure) {
        guard !hasFailed else { return }
        let text = record.text
        fill(with: record, text)
        let length = frame.bytes.count + text.count
        guard withExtendedLifetime(record, { write(text) }) == length else {
            hasFailed = true
            throw SystemFailure("write \(path)")
        }
        bytes += length
        if frame.bytes.count > Self.roomToKeep { frame = ByteWriter() }
    }

    private func write(_ text: ByteSlice) -> Int {
        frame.bytes.withUnsafeBytes { head in
            let parts = [head, UnsafeRawBufferPointer(text.buffer)].map {
                iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
            }
            return pwritev(fd, parts, Int32(parts.count), off_t(bytes))
        }
    }

    private mutating func fill(with record: RedoRecord, _ text: ByteSlice) {
        frame.removeAll()
        for _ in 0..<Self.header { frame.byte(0) }
        record.write(to: &frame)
        let sum = frame.bytes.withUnsafeBufferPointer {
            Self.hash(ByteSlice(UnsafeBufferPointer(rebasing: $0[Self.header...])), text, generation)
        }
        frame.replace(at: 0, with: UInt32(frame.bytes.count - Self.header))
        frame.replace(at: 4, with: UInt32(text.count))
        frame.replace(at: 8, with: sum)
    }

    /// The records of a file up to its end or to the first that is torn or of another generation.
    static func records(of path: String, generation: UInt64) -> [RedoRecord] {
        guard let bytes = try? FileContents.read(path, limit: 1 << 30) else { return [] }
        var records: [RedoRecord] = []
        bytes.withUnsafeBufferPointer { buffer in
            var reader = ByteReader(buffer)
            while let record = try? next(&reader, generation) { records.append(record) }
        }
        return records
    }

    private static func hash(_ record: ByteSlice, _ text: ByteSlice, _ generation: UInt64) -> UInt32 {
        let head = record.hash(keyedBy: 0x7265_646f_206c_6f67 &+ generation)
        return UInt32(truncatingIfNeeded: text.hash(keyedBy: head))
    }

    private static func next(
        _ reader: inout ByteReader, _ generation: UInt64
    ) throws(DamagedBytes) -> RedoRecord {
        let (length, textLength) = (try reader.number(UInt32.self), try reader.number(UInt32.self))
        let sum = try reader.number(UInt32.self)
        let (body, text) = (try reader.slice(Int(length)), try reader.slice(Int(textLength)))
        guard hash(body, text, generation) == sum else { throw reader.damage }
        var (inner, lines) = (ByteReader(body.buffer), ByteReader(text.buffer))
        return try RedoRecord(&inner, lines: &lines)
    }
}

/// A system call that failed, with what it was about.
struct SystemFailure: Error, CustomStringConvertible {
    let description: String
    init(_ what: String) { description = "\(what): \(systemMessage(errno))" }
}
