/// The slots that changed, in order; a change's number is one more than its index.
///
/// Of every stretch of a thousand it is known which kinds of decisions are in it, so that whoever is not concerned by an import of
/// a hundred thousand reads a hundred words of it.
struct ChangeLog: Sendable {
    private static var stretchBits: Int { 10 }
    /// Kinds of a stretch that are kept apart; with more it counts as concerning everybody.
    private static var mostKinds: Int { 16 }

    private var slots = PagedArray<Int32>()
    /// None: too many.
    private var kinds = PagedArray<[UInt32]>()

    var count: Int { slots.count }
    /// The number of the oldest change that is still here.
    var first: UInt64 { UInt64(slots.startIndex) + 1 }
    /// The number of the newest change.
    var last: UInt64 { UInt64(slots.endIndex) }

    mutating func append(_ slot: Int, kind: UInt32) {
        let index = slots.endIndex
        slots.append(Int32(slot))
        guard index & (1 << Self.stretchBits - 1) != 0 else { return kinds.append([kind]) }
        let stretch = kinds.endIndex - 1
        guard let known = kinds[stretch].last, known != kind, !kinds[stretch].contains(kind) else { return }
        if kinds[stretch].count < Self.mostKinds { kinds[stretch].append(kind) } else { kinds[stretch] = [] }
    }

    mutating func removeFirst(_ number: Int) {
        slots.removeFirst(number)
        kinds.removeFirst(slots.startIndex >> Self.stretchBits - kinds.startIndex)
    }

    /// The slot of a change, by the number of the change before it.
    subscript(index: Int) -> Int { Int(slots[index]) }

    /// Where the changes after a number are, without stretches in which no kind is accepted.
    func stretches(after number: UInt64, accepting accepts: (UInt32) -> Bool) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var begin = max(Int(clamping: number), slots.startIndex)
        while begin < slots.endIndex {
            let stretch = begin >> Self.stretchBits
            let end = min((stretch + 1) << Self.stretchBits, slots.endIndex)
            if kinds[stretch].isEmpty || kinds[stretch].contains(where: accepts) { found.append(begin..<end) }
            begin = end
        }
        return found
    }
}
