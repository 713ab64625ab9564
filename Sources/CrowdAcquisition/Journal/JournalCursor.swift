import CrowdCore
import CrowdEngine

/// Where a journal was left: a time from which to ask again, and the hashes of the lines that came since.
struct JournalCursor: Equatable {
    /// The most lines that are known again; more in two seconds may be read twice.
    static let mostLines = 64
    private static let key: UInt64 = 0x6A6F_7572_6E61_6C21

    var seconds: Int64
    var hashes: [UInt64]

    init(seconds: Int64, hashes: [UInt64]) {
        self.seconds = seconds
        self.hashes = hashes
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard let first = parts.first, let seconds = Int64(first) else { return nil }
        self.init(seconds: seconds, hashes: parts.dropFirst().compactMap { UInt64($0, radix: 16) })
    }

    var text: String { ([String(seconds)] + hashes.map { String($0, radix: 16) }).joined(separator: " ") }

    static func hash(_ line: ByteSlice) -> UInt64 { line.hash(keyedBy: key) }
}

/// Cuts the output of `journalctl` into batches, each with the place behind it.
struct JournalReader {
    private let origin: LineOrigin
    private let keepsPlace: Bool
    private var cutter: LineCutter
    /// Lines of an earlier run that come again, as often as they came.
    private var known: [UInt64: Int] = [:]
    /// The last lines, with the seconds in which they were read.
    private var recent: [(seconds: Int64, hash: UInt64)] = []
    private var isCatchingUp: Bool

    init(_ origin: LineOrigin, _ maxLine: Int, _ cursor: JournalCursor?, keepsPlace: Bool) {
        self.origin = origin
        self.keepsPlace = keepsPlace
        cutter = LineCutter(origin, maxLine: maxLine)
        isCatchingUp = cursor != nil
        for hash in cursor?.hashes ?? [] { known[hash, default: 0] += 1 }
        recent = cursor.map { cursor in cursor.hashes.map { (cursor.seconds + 2, $0) } } ?? []
    }

    /// What was written while nobody read has been read.
    mutating func isIdle() {
        isCatchingUp = false
        known = [:]
    }

    var place: String {
        let seconds = recent.last?.seconds ?? Timestamp.now().nanoseconds / 1_000_000_000
        return JournalCursor(seconds: seconds - 2, hashes: recent.map(\.hash)).text
    }

    mutating func cut(_ bytes: UnsafeBufferPointer<UInt8>) -> LineBatch? {
        guard let all = cutter.cut(bytes) else { return nil }
        guard keepsPlace else {
            all.place = .always
            return all
        }
        let batch = LineBatch(origin, capacity: all.byteCount, time: all.time)
        let seconds = all.time.nanoseconds / 1_000_000_000
        all.withEachLine { line in
            let hash = JournalCursor.hash(line)
            if let count = known[hash], count > 0 {
                known[hash] = count - 1
                return
            }
            recent.append((seconds, hash))
            batch.append(line)
        }
        recent.removeAll { $0.seconds < seconds - 2 }
        if recent.count > JournalCursor.mostLines { recent.removeFirst(recent.count - JournalCursor.mostLines) }
        batch.isLate = isCatchingUp
        batch.place = .cursor(source: String(origin.source), place)
        return batch.count > 0 ? batch : nil
    }
}
