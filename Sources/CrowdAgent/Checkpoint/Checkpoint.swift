import CrowdAcquisition
import CrowdCore
import CrowdEngine

/// Everything an agent needs to go on as if it had not been away: where its sources stand, and what its buckets hold.
///
/// Written as a whole to a file that is synced and renamed; see `CheckpointStore` for what happens in between.
struct Checkpoint {
    /// Counts checkpoints; the redo log of the same number holds what came after it.
    var generation: UInt64 = 0
    var identity = EngineIdentity()
    var positions: [String: FilePosition] = [:]
    /// Of sources that are not files.
    var cursors: [String: String] = [:]
    /// What `Worker.writeSnapshot` wrote.
    var buckets: [UInt8] = []

    private static let magic: UInt32 = 0x3143_5343
    private static let version: UInt8 = 1

    init() {}

    /// magic "CSC1" | version | generation | identity | positions | cursors | buckets | CRC-32 of all that
    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.number(Checkpoint.magic)
        writer.byte(Checkpoint.version)
        writer.number(generation)
        writer.text(identity.key)
        writer.number(UInt32(positions.count))
        for position in positions.values { position.write(to: &writer) }
        writer.number(UInt32(cursors.count))
        for (source, cursor) in cursors {
            writer.text(source)
            writer.text(cursor)
        }
        writer.text(buckets)
        writer.number(Checksum.crc32(writer.bytes))
        return writer.bytes
    }

    init(_ bytes: [UInt8]) throws(DamagedBytes) {
        guard bytes.count > 4, Checkpoint.isWhole(bytes) else { throw DamagedBytes(offset: bytes.count) }
        self = try bytes.withUnsafeBufferPointer { buffer throws(DamagedBytes) in
            var reader = ByteReader(buffer)
            return try Checkpoint(&reader)
        }
    }

    private init(_ reader: inout ByteReader) throws(DamagedBytes) {
        guard try reader.number(UInt32.self) == Checkpoint.magic, try reader.byte() == Checkpoint.version else {
            throw reader.damage
        }
        generation = try reader.number()
        guard let identity = EngineIdentity(key: Array(try reader.text().buffer)) else { throw reader.damage }
        self.identity = identity
        for _ in 0..<(try reader.count()) {
            let position = try FilePosition(&reader)
            positions[position.path] = position
        }
        for _ in 0..<(try reader.count()) {
            let source = try reader.string()
            cursors[source] = try reader.string()
        }
        buckets = Array(try reader.text().buffer)
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        let sum = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return Checksum.crc32(Array(bytes.dropLast(4))) == sum
    }

    /// What a batch accounts for.
    mutating func advance(past place: BatchPlace) {
        switch place {
        case .none, .always: break
        case .file(let span): if !span.isLeft { positions[span.end.path] = span.end }
        case .cursor(let source, let cursor): cursors[source] = cursor.isEmpty ? nil : cursor
        }
    }
}

extension FilePosition {
    func write(to writer: inout ByteWriter) {
        writer.text(path)
        writer.number(device)
        writer.number(inode)
        writer.number(offset)
        writer.int(headLength)
        writer.number(headSum)
    }

    init(_ reader: inout ByteReader) throws(DamagedBytes) {
        self.init(
            path: try reader.string(), device: try reader.number(), inode: try reader.number(),
            offset: try reader.number(), headLength: try reader.int(), headSum: try reader.number())
    }
}
