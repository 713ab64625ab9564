import CrowdCore

/// Finds a bucket by its partition: open addressing over hash and place, so that a look-up touches the bucket itself
/// only when all 64 bits of the hash agree. The hash is keyed (`ByteSlice.keyedHash`), so that who writes the log
/// cannot make partitions collide.
///
/// At most three quarters full; a removal moves later entries back, so that no tombstones gather. O(1).
struct BucketTable: ~Copyable {
    private struct Entry {
        var hash: UInt64
        /// -1 marks an empty entry.
        var place: Int32
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var capacity = 16
    private(set) var count = 0

    init() { entries = BucketTable.make(16) }

    deinit { entries.deallocate() }

    private static func make(_ capacity: Int) -> UnsafeMutablePointer<Entry> {
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        entries.initialize(repeating: Entry(hash: 0, place: -1), count: capacity)
        return entries
    }

    /// The place under this hash for which `matches` holds, nil when there is none.
    func find(_ hash: UInt64, where matches: (Int32) -> Bool) -> Int32? {
        var index = home(hash)
        while entries[index].place >= 0 {
            if entries[index].hash == hash, matches(entries[index].place) { return entries[index].place }
            index = (index + 1) & (capacity - 1)
        }
        return nil
    }

    mutating func insert(_ hash: UInt64, _ place: Int32) {
        if (count + 1) * 4 > capacity * 3 { grow() }
        put(Entry(hash: hash, place: place))
        count += 1
    }

    mutating func remove(_ hash: UInt64, _ place: Int32) {
        var hole = home(hash)
        while entries[hole].place != place {
            guard entries[hole].place >= 0 else { return }
            hole = (hole + 1) & (capacity - 1)
        }
        count -= 1
        var index = (hole + 1) & (capacity - 1)
        while entries[index].place >= 0 {
            // An entry may move back into the hole unless its home lies behind the hole.
            let distance = (index - home(entries[index].hash)) & (capacity - 1)
            if distance >= (index - hole) & (capacity - 1) {
                entries[hole] = entries[index]
                hole = index
            }
            index = (index + 1) & (capacity - 1)
        }
        entries[hole].place = -1
    }

    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (capacity - 1) }

    private func put(_ entry: Entry) {
        var index = home(entry.hash)
        while entries[index].place >= 0 { index = (index + 1) & (capacity - 1) }
        entries[index] = entry
    }

    private mutating func grow() {
        let (old, oldCapacity) = (entries, capacity)
        capacity *= 2
        entries = BucketTable.make(capacity)
        for index in 0..<oldCapacity where old[index].place >= 0 { put(old[index]) }
        old.deallocate()
    }
}
