import CrowdCore
import CrowdEngine

/// Finds a cursor's place in the lines that come again, and holds those back until then.
///
/// (1) Behind the place all is new. (2) The place is where the last lines are those of the cursor and enough lines came before;
/// when no line comes for long, or this takes too long, the last place where at least the lines are. (3) If there is none, what
/// is not known by its hash is new: the journal was cleaned up. (4) At most `mostBytes` are held.
struct JournalSearch {
    private static let mostBytes = 16 << 20
    private static let mostTime = GoDuration.seconds(10)

    let cursor: JournalCursor
    /// Lines so far, and the hashes of the last ones.
    private var seen = 0
    private var hashes: [UInt64] = []
    private var held: [[UInt8]] = []
    private var heldBytes = 0
    private var begun: Timestamp?
    /// Behind so many lines the cursor's lines were seen.
    private var candidate: Int?

    /// nil when nothing was read before, so that all is new.
    init?(_ cursor: JournalCursor?) {
        guard let cursor, !cursor.hashes.isEmpty else { return nil }
        self.cursor = cursor
    }

    var isEmpty: Bool { seen == 0 }

    /// Takes a line; true when the place is behind it, or must be given up.
    mutating func isOver(with line: ByteSlice, at time: Timestamp) -> Bool {
        seen += 1
        hashes.append(JournalCursor.hash(line))
        if hashes.count > JournalCursor.mostHashes { hashes.removeFirst() }
        held.append(Array(line.buffer))
        heldBytes += line.count
        if isPlace {
            candidate = seen
            if seen >= cursor.count { return true }
        }
        let start = begun ?? time
        begun = start
        return time - start > Self.mostTime || hasNoRoom()
    }

    /// Whether the last lines are the cursor's; near the beginning of the answer, those of them that are in it.
    private var isPlace: Bool {
        let count = min(hashes.count, cursor.hashes.count)
        return hashes.last == cursor.hashes.last && hashes.suffix(count) == cursor.hashes.suffix(count)
    }

    /// What comes long before the place is known: the eldest lines need not be held.
    private mutating func hasNoRoom() -> Bool {
        guard heldBytes > Self.mostBytes else { return false }
        guard seen < cursor.count else { return true }
        let half = held.count / 2
        heldBytes -= held.prefix(half).reduce(0) { $0 + $1.count }
        held.removeFirst(half)
        return false
    }

    /// The lines that are new after all.
    var rest: [[UInt8]] {
        if let candidate { return Array(held.suffix(seen - candidate)) }
        var known = cursor.hashes.reduce(into: [UInt64: Int]()) { $0[$1, default: 0] += 1 }
        return held.filter { line in
            let hash = line.withUnsafeBufferPointer { JournalCursor.hash(ByteSlice($0)) }
            guard let count = known[hash], count > 0 else { return true }
            known[hash] = count - 1
            return false
        }
    }
}
