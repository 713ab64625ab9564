import CrowdCore
import CrowdEngine
import Glibc

/// Cuts the output of `journalctl` into batches, each with the place behind it.
struct JournalReader {
    /// How long before the last line it is asked again: an entry may be told a little later than it was written.
    private static let overlap: Int64 = 2
    /// Without a line, and the answer was read to its end; the program may need a while to begin.
    private static let patience = 10
    private static let mostRecent = 200_000

    private let origin: LineOrigin
    private let keepsPlace: Bool
    private var cutter: LineCutter
    private var search: JournalSearch?
    /// While lines come that were written when nobody read: since when they were asked for, and how many came.
    private var catchingUp: (since: Int64, count: Int)?
    /// The last lines, with the seconds in which they were read, ascending.
    private var recent: [(seconds: Int64, hash: UInt64)] = []
    private var idleRounds = 0

    /// - Parameter cursor: where an answer to `--since` was left, if that is what is read.
    init(_ origin: LineOrigin, _ maxLine: Int, _ cursor: JournalCursor?, keepsPlace: Bool) {
        self.origin = origin
        self.keepsPlace = keepsPlace
        cutter = LineCutter(origin, maxLine: maxLine)
        search = JournalSearch(cursor)
        catchingUp = cursor.map { ($0.seconds, 0) }
        recent = cursor.map { cursor in cursor.hashes.map { (cursor.seconds, $0) } } ?? []
    }

    /// Nothing came for one more round: lines that were held until now.
    mutating func isIdle() -> LineBatch? {
        guard keepsPlace, catchingUp != nil else { return nil }
        if search?.isEmpty ?? false { return nil }
        idleRounds += 1
        guard idleRounds > Self.patience else { return nil }
        var lines = LineCollector()
        giveUp(into: &lines)
        defer { catchingUp = nil }
        return batch(&lines, at: .now())
    }

    var place: String {
        if let search { return search.cursor.text }
        let hashes = recent.suffix(JournalCursor.mostHashes).map(\.hash)
        if let catchingUp {
            return JournalCursor(seconds: catchingUp.since, count: catchingUp.count, hashes: hashes).text
        }
        guard let last = recent.last?.seconds else {
            return JournalCursor(seconds: Timestamp.now().nanoseconds / 1_000_000_000, count: 0, hashes: []).text
        }
        let since = last - Self.overlap
        // Of those a second earlier some may have been written before that moment.
        return JournalCursor(seconds: since, count: recentLines(after: since), hashes: hashes).text
    }

    private func recentLines(after seconds: Int64) -> Int {
        recent.count - recent.firstSortedIndex { $0.seconds > seconds }
    }

    mutating func cut(_ bytes: UnsafeBufferPointer<UInt8>) -> LineBatch? {
        guard let all = cutter.cut(bytes) else { return nil }
        guard keepsPlace else {
            all.place = .always
            return all
        }
        idleRounds = 0
        var lines = LineCollector()
        var isLive = false
        all.withEachLine { line in
            take(line, at: all.time, into: &lines)
            if catchingUp != nil, !isLive { isLive = Self.isOfNow(line, all.time) }
        }
        if isLive, search == nil { catchingUp = nil }
        return batch(&lines, at: all.time)
    }

    private mutating func take(_ line: ByteSlice, at time: Timestamp, into lines: inout LineCollector) {
        catchingUp?.count += 1
        guard search != nil else { return add(line, at: time, to: &lines) }
        if search?.isOver(with: line, at: time) ?? false { giveUp(into: &lines) }
    }

    private mutating func giveUp(into lines: inout LineCollector) {
        let rest = search?.rest ?? []
        search = nil
        for line in rest { line.withUnsafeBufferPointer { add(ByteSlice($0), at: .now(), to: &lines) } }
    }

    private mutating func add(_ line: ByteSlice, at time: Timestamp, to lines: inout LineCollector) {
        recent.append((time.nanoseconds / 1_000_000_000, JournalCursor.hash(line)))
        lines.append(line)
    }

    private mutating func batch(_ lines: inout LineCollector, at time: Timestamp) -> LineBatch? {
        forgetOld(at: time.nanoseconds / 1_000_000_000)
        guard let batch = lines.batch(origin, time: time) else { return nil }
        batch.isLate = catchingUp != nil
        batch.place = .cursor(source: String(origin.source), place)
        return batch
    }

    /// Written in these seconds, as far as `journalctl` tells by its short format: `Nov 21 15:04:05 …`.
    private static func isOfNow(_ line: ByteSlice, _ now: Timestamp) -> Bool {
        let seconds = now.nanoseconds / 1_000_000_000
        return (-1...overlap).contains { back in
            var (time, parts) = (time_t(seconds - back), tm())
            var text = [CChar](repeating: 0, count: 32)
            guard localtime_r(&time, &parts) != nil, strftime(&text, text.count, "%b %d %H:%M:%S ", &parts) > 0 else {
                return false
            }
            return text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } == Array(line[0..<min(line.count, 16)].buffer)
        }
    }

    /// The last ones stay, however old; what is removed is much at a time.
    private mutating func forgetOld(at seconds: Int64) {
        let old = recent.count - recentLines(after: seconds - Self.overlap - 1)
        let spare = min(old, recent.count - JournalCursor.mostHashes)
        if spare > recent.count / 2 { recent.removeFirst(spare) }
        if recent.count > Self.mostRecent { recent.removeFirst(recent.count / 2) }
    }
}
