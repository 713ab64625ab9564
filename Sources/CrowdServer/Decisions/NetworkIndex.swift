import CrowdCore

/// Finds the networks that cover an address: one probe for each prefix length in use.
struct NetworkIndex: Sendable {
    private var table = SlotTable()
    /// How many networks there are of each prefix length.
    private var lengthsV4 = [Int](repeating: 0, count: 33)
    private var lengthsV6 = [Int](repeating: 0, count: 129)

    func find(_ range: IPRange, in entries: PagedArray<DecisionEntry>) -> Int? {
        table.find(hash: Self.hash(range)) { slot in
            let entry = entries[slot]
            return entry.network.low == range.first.low && entry.network.high == range.first.high
                && Int(entry.prefixLength) == range.prefixLength && (entry.family == 6) == range.first.isV6
        }
    }

    func covering(_ range: IPRange, in entries: PagedArray<DecisionEntry>) -> [Int] {
        let lengths = range.first.isV6 ? lengthsV6 : lengthsV4
        var found: [Int] = []
        for length in 0...range.prefixLength where lengths[length] > 0 {
            if let slot = find(IPRange(range.first, prefixLength: length), in: entries) { found.append(slot) }
        }
        return found
    }

    mutating func insert(_ slot: Int, _ range: IPRange) {
        table.insert(slot, hash: Self.hash(range))
        count(range, by: 1)
    }

    mutating func remove(_ slot: Int, _ range: IPRange) {
        table.remove(slot, hash: Self.hash(range))
        count(range, by: -1)
    }

    mutating func replace(_ slot: Int, with other: Int, _ range: IPRange) {
        table.replace(slot, with: other, hash: Self.hash(range))
    }

    private mutating func count(_ range: IPRange, by change: Int) {
        if range.first.isV6 {
            lengthsV6[range.prefixLength] += change
        } else {
            lengthsV4[range.prefixLength] += change
        }
    }

    /// Seeded per process: attackers choose the addresses.
    private static func hash(_ range: IPRange) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(range.first.high)
        hasher.combine(range.first.low)
        hasher.combine(UInt16(range.prefixLength) << 1 | (range.first.isV6 ? 1 : 0))
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}

/// The ends of active decisions, soonest first. Entries that no longer hold are left in and skipped by the reader.
struct ExpiryHeap: Sendable {
    private var heap = PagedArray<(until: Int64, slot: Int32)>()

    mutating func push(until: Int64, slot: Int32) {
        heap.append((until, slot))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].until < heap[parent].until else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    func hasDue(until limit: Int64) -> Bool { heap.first.map { $0.until <= limit } ?? false }

    /// The soonest end, removed, if it is not after `limit`.
    mutating func pop(until limit: Int64) -> (until: Int64, slot: Int32)? {
        guard let first = heap.first, first.until <= limit, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count && heap[child + 1].until < heap[child].until { child += 1 }
            guard heap[child].until < heap[parent].until else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return first
    }
}
