import CrowdCore

/// What searches of one field found in texts that were met lately: user agents, hosts and methods come again and again.
///
/// Whoever holds it deallocates it. One worker's own, bounded.
struct NeedleMemo {
    /// Shorter texts are searched as fast as they are found; longer ones are rare.
    static let lengths = 12...256
    private static let placeBits = 7

    private struct Entry {
        var hash: UInt64
        /// 0 in a place that is free.
        var count: Int
    }

    private let words: Int
    private let entries: UnsafeMutablePointer<Entry>
    private let texts: UnsafeMutablePointer<UInt8>
    private let answers: UnsafeMutablePointer<UInt64>

    /// - Parameter words: of 64 bits that the answers take.
    init(words: Int) {
        let count = 1 << NeedleMemo.placeBits
        self.words = words
        entries = .allocate(capacity: count)
        entries.initialize(repeating: Entry(hash: 0, count: 0), count: count)
        texts = .allocate(capacity: count * NeedleMemo.lengths.upperBound)
        answers = .allocate(capacity: count * words)
    }

    func deallocate() {
        entries.deallocate()
        texts.deallocate()
        answers.deallocate()
    }

    private func place(_ hash: UInt64) -> Int { Int(hash >> UInt64(64 - NeedleMemo.placeBits)) }

    /// Copies the answers about the text into `bits`; false when they are not known.
    func recall(_ text: ByteSlice, _ hash: UInt64, into bits: UnsafeMutablePointer<UInt64>) -> Bool {
        let place = place(hash)
        guard entries[place].hash == hash, entries[place].count == text.count,
            ByteSlice(base: texts + place * NeedleMemo.lengths.upperBound, count: text.count) == text
        else { return false }
        bits.update(from: answers + place * words, count: words)
        return true
    }

    func keep(_ text: ByteSlice, _ hash: UInt64, _ bits: UnsafeMutablePointer<UInt64>) {
        let place = place(hash)
        entries[place] = Entry(hash: hash, count: text.count)
        (texts + place * NeedleMemo.lengths.upperBound).update(from: text.base, count: text.count)
        (answers + place * words).update(from: bits, count: words)
    }
}
