public import CrowdCore

/// Finds which of many short texts occur in a text, in one pass over it, whatever their number (Aho and Corasick).
///
/// ASCII letters count as equal whatever their case. Each needle carries a number of the caller's; `search` sets the bits of
/// the numbers whose needles occur. One step per byte, no allocation. Immutable once built: shared by workers.
public struct NeedleAutomaton: Sendable {
    /// What the text held besides the needles, seen in the same pass.
    public struct Marks: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// A byte of 0x80 or above.
        public static let nonASCII = Marks(rawValue: 1)
        public static let percent = Marks(rawValue: 2)
        public static let plus = Marks(rawValue: 4)
    }

    /// Column of each byte in `steps`; bytes that no needle has share column 0.
    private let columns: [UInt8]
    /// What each byte stands for, `Marks` and `rare`.
    private let marks: [UInt8]
    /// Every needle has one of the bytes that are marked as rare: text without them need not be searched.
    private let hasRareBytes: Bool
    private static let rare: UInt8 = 128
    /// Next state, `1 << shift` columns to a state.
    private let steps: [UInt16]
    private let shift: Int
    /// States from here on end a needle.
    private let firstEnd: Int
    /// For each of these, where its numbers lie in `numbers`.
    private let ends: [Range<Int>]
    private let numbers: [Int]

    /// Sets in `bits` the bit of every number of which a needle occurs in `text`.
    public func search(_ text: ByteSlice, into bits: UnsafeMutablePointer<UInt64>) -> Marks {
        var seen: UInt8 = 0
        marks.withUnsafeBufferPointer { marks in
            for at in 0..<text.count { seen |= marks[Int(text.base[at])] }
        }
        if !hasRareBytes || seen & NeedleAutomaton.rare != 0 { walk(text, bits) }
        return Marks(rawValue: seen & ~NeedleAutomaton.rare)
    }

    private func walk(_ text: ByteSlice, _ bits: UnsafeMutablePointer<UInt64>) {
        var state = 0
        columns.withUnsafeBufferPointer { columns in
            steps.withUnsafeBufferPointer { steps in
                for at in 0..<text.count {
                    state = Int(steps[state << shift | Int(columns[Int(text.base[at])])])
                    if state >= firstEnd { note(state, bits) }
                }
            }
        }
    }

    private func note(_ state: Int, _ bits: UnsafeMutablePointer<UInt64>) {
        for index in ends[state - firstEnd] { bits[numbers[index] >> 6] |= 1 << UInt64(numbers[index] & 63) }
    }

    init(
        columns: [UInt8], steps: [UInt16], shift: Int, firstEnd: Int, ends: [Range<Int>], numbers: [Int],
        rareBytes: Set<UInt8>?
    ) {
        self.columns = columns
        self.steps = steps
        self.shift = shift
        self.firstEnd = firstEnd
        self.ends = ends
        self.numbers = numbers
        var marks = [UInt8](repeating: 0, count: 256)
        for byte in 0x80...0xff { marks[byte] = Marks.nonASCII.rawValue }
        marks[Int(UInt8(ascii: "%"))] = Marks.percent.rawValue
        marks[Int(UInt8(ascii: "+"))] = Marks.plus.rawValue
        for byte in rareBytes ?? [] { marks[Int(byte)] |= NeedleAutomaton.rare }
        self.marks = marks
        hasRareBytes = rareBytes != nil
    }
}
