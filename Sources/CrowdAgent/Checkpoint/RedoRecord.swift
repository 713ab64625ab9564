import CrowdAcquisition
import CrowdCore
import CrowdEngine

/// One entry of the redo log: what happened since the checkpoint, in the order in which it happened.
enum RedoRecord {
    /// The origin that batches refer to by this number from here on.
    case origin(Int, LineOrigin)
    /// A batch that is about to be processed.
    case batch(RedoBatch)
    /// These alerts are in the spool or with the Local API.
    case raised([String])
}

/// A batch as far as it takes to process it again: lines of a file are read again, others are kept here.
struct RedoBatch {
    var origin: Int
    var time: Timestamp
    var isLate: Bool
    var place: BatchPlace
    /// The lines are kept here although they came from a file: they were changed on their way.
    var isOwnText = false
    /// As they were read back; empty for a file's.
    var lines: [[UInt8]] = []
    /// Whose lines are to be written; nil for a file's.
    var source: LineBatch?
}

extension RedoRecord {
    /// What is kept beside it: the lines of a batch, one directly after the other. It is the batch's own memory.
    var text: ByteSlice {
        if case .batch(let batch) = self, let source = batch.source { return source.text }
        return .empty
    }

    /// All but the text.
    func write(to writer: inout ByteWriter) {
        switch self {
        case .origin(let number, let origin):
            writer.byte(1)
            writer.number(UInt32(number))
            writer.text(origin.source)
            writer.text(origin.module)
            writer.bool(origin.isReplay)
            writer.number(UInt32(origin.labels.entries.count))
            for label in origin.labels.entries {
                writer.text(label.name)
                writer.text(label.value)
            }
        case .batch(let batch):
            writer.byte(2)
            batch.write(to: &writer)
        case .raised(let uuids):
            writer.byte(3)
            writer.number(UInt32(uuids.count))
            for uuid in uuids { writer.text(uuid) }
        }
    }

    init(_ reader: inout ByteReader, lines: inout ByteReader) throws(DamagedBytes) {
        switch try reader.byte() {
        case 1:
            let number = Int(try reader.number(UInt32.self))
            let (source, module, isReplay) = (try reader.string(), try reader.string(), try reader.bool())
            var labels: [(String, String)] = []
            for _ in 0..<(try reader.count()) { labels.append((try reader.string(), try reader.string())) }
            self = .origin(number, LineOrigin(source: source, module: module, labels: labels, isReplay: isReplay))
        case 2: self = .batch(try RedoBatch(&reader, lines: &lines))
        case 3:
            var uuids: [String] = []
            for _ in 0..<(try reader.count()) { uuids.append(try reader.string()) }
            self = .raised(uuids)
        default: throw reader.damage
        }
    }
}

extension RedoBatch {
    func write(to writer: inout ByteWriter) {
        writer.number(UInt32(origin))
        writer.time(time)
        writer.bool(isLate)
        switch place {
        case .none, .always: writer.byte(0)
        case .file(let span):
            writer.byte(isOwnText ? 3 : 1)
            writer.number(span.start)
            writer.bool(span.isLeft)
            writer.int(span.maxLine)
            span.end.write(to: &writer)
        case .cursor(let source, let cursor):
            writer.byte(2)
            writer.text(source)
            writer.text(cursor)
        }
        // How many lines there are, and where each ends in the text.
        writer.number(UInt32(source?.count ?? 0))
        if let source { writer.raw(source.ends) }
    }

    private mutating func readLines(_ reader: inout ByteReader, _ text: inout ByteReader) throws(DamagedBytes) {
        var ends: [Int32] = []
        for _ in 0..<(try reader.count()) { ends.append(try reader.number()) }
        var start: Int32 = 0
        for end in ends {
            guard end >= start else { throw reader.damage }
            lines.append(Array(try text.slice(Int(end - start)).buffer))
            start = end
        }
    }

    init(_ reader: inout ByteReader, lines text: inout ByteReader) throws(DamagedBytes) {
        origin = Int(try reader.number(UInt32.self))
        time = try reader.time()
        isLate = try reader.bool()
        let kind = try reader.byte()
        switch kind {
        case 0: place = .none
        case 1, 3:
            isOwnText = kind == 3
            let (start, isLeft, maxLine) = (try reader.number(Int64.self), try reader.bool(), try reader.int())
            place = .file(
                FileSpan(start: start, end: try FilePosition(&reader), maxLine: maxLine, isLeft: isLeft))
        case 2: place = .cursor(source: try reader.string(), try reader.string())
        default: throw reader.damage
        }
        try readLines(&reader, &text)
    }
}
