import CrowdCore

/// The live buckets of one scenario, by groupby value and by age. One worker's own.
///
/// (1) Buckets are values in chunks that never move, so a pointer to one is good until it is removed; a removed one's
/// place is used again. (2) The list runs from the bucket whose turn comes first to the one poured into last, since all
/// buckets of a scenario live equally long; so a sweep costs what it removes.
final class BucketStore {
    private static let chunkSize = 64

    let scenario: Scenario
    private var table = BucketTable()
    private var chunks: [BucketPointer] = []
    private var free: [Int32] = []
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// Partition to the end of its blackhole.
    private var blackholes: [[UInt8]: Timestamp] = [:]
    private var blackholeOrder: [(key: [UInt8], until: Timestamp)] = []

    init(_ scenario: Scenario) { self.scenario = scenario }

    deinit {
        while let eldest { remove(eldest) }
        for chunk in chunks { chunk.deallocate() }
    }

    var count: Int { table.count }

    private func bucket(_ place: Int32) -> BucketPointer {
        chunks[Int(place) / BucketStore.chunkSize] + Int(place) % BucketStore.chunkSize
    }

    func find(_ key: ByteSlice, hash: UInt64) -> BucketPointer? {
        table.find(hash) { bucket($0).pointee.key == key }.map(bucket)
    }

    func make(_ key: ByteSlice, hash: UInt64, isReplay: Bool) -> BucketPointer {
        let place = freePlace()
        let made = bucket(place)
        let isInside = key.count <= Bucket.longestKeyInside
        let memory: UnsafeMutablePointer<UInt8> =
            isInside ? BucketStore.room(of: made) : .allocate(capacity: key.count)
        made.initialize(
            to: Bucket(
                key: ByteSlice(base: memory, count: key.count), hash: hash, place: place, isReplay: isReplay,
                limiter: LeakyBucket(capacity: scenario.config.capacity)))
        memory.update(from: key.base, count: key.count)
        table.insert(hash, place)
        append(made)
        return made
    }

    private func freePlace() -> Int32 {
        if let place = free.popLast() { return place }
        let first = Int32(truncatingIfNeeded: chunks.count * BucketStore.chunkSize)
        chunks.append(.allocate(capacity: BucketStore.chunkSize))
        free.append(contentsOf: (first + 1..<first + Int32(BucketStore.chunkSize)).reversed())
        return first
    }

    private static func room(of bucket: BucketPointer) -> UnsafeMutablePointer<UInt8> {
        (UnsafeMutableRawPointer(bucket) + Bucket.roomOffset).assumingMemoryBound(to: UInt8.self)
    }

    func remove(_ bucket: BucketPointer) {
        unlink(bucket)
        table.remove(bucket.pointee.hash, bucket.pointee.place)
        free.append(bucket.pointee.place)
        if bucket.pointee.key.count > Bucket.longestKeyInside { bucket.pointee.key.base.deallocate() }
        bucket.deinitialize(count: 1)
    }

    /// Its life begins anew: to the young end of the list.
    func touch(_ bucket: BucketPointer) {
        guard newest != bucket.pointee.place else { return }
        unlink(bucket)
        append(bucket)
    }

    private func append(_ bucket: BucketPointer) {
        let place = bucket.pointee.place
        bucket.pointee.older = newest
        bucket.pointee.newer = -1
        if newest >= 0 { self.bucket(newest).pointee.newer = place }
        newest = place
        if oldest < 0 { oldest = place }
    }

    private func unlink(_ bucket: BucketPointer) {
        let (older, newer) = (bucket.pointee.older, bucket.pointee.newer)
        if older >= 0 { self.bucket(older).pointee.newer = newer } else { oldest = newer }
        if newer >= 0 { self.bucket(newer).pointee.older = older } else { newest = older }
    }

    /// The bucket whose turn to end comes first.
    var eldest: BucketPointer? { oldest >= 0 ? bucket(oldest) : nil }

    /// The bucket whose time is over, nil when none is; the caller removes it.
    func due(at now: Timestamp) -> BucketPointer? {
        guard let eldest, eldest.pointee.deadline < now else { return nil }
        return eldest
    }

    /// Every live bucket, the eldest first.
    func visit(_ body: (borrowing Bucket) -> Void) {
        var place = oldest
        while place >= 0 {
            let pointer = bucket(place)
            body(pointer.pointee)
            place = pointer.pointee.newer
        }
    }

    // MARK: blackholes

    /// False when the partition is in its blackhole at that time; otherwise a new one begins.
    func enterBlackhole(_ key: ByteSlice, at time: Timestamp, lasting span: GoDuration) -> Bool {
        let key = Array(key.buffer)
        if let until = blackholes[key], until > time { return false }
        purgeBlackholes(before: time)
        blackholes[key] = time + span
        blackholeOrder.append((key, time + span))
        return true
    }

    var blackholeCount: Int { blackholes.count }

    func writeBlackholes(to writer: inout ByteWriter) {
        writer.number(UInt32(blackholeOrder.count))
        for entry in blackholeOrder {
            writer.text(entry.key)
            writer.time(entry.until)
        }
    }

    /// Into nothing when the scenario is gone.
    static func readBlackholes(_ reader: inout ByteReader, into store: BucketStore?) throws(DamagedBytes) {
        for _ in 0..<(try reader.count()) {
            let (key, until) = (Array(try reader.text().buffer), try reader.time())
            store?.blackholes[key] = until
            store?.blackholeOrder.append((key, until))
        }
    }

    private func purgeBlackholes(before time: Timestamp) {
        // In order of entry, which is the order of expiry but for logs out of order; those wait a little longer.
        var gone = 0
        while gone < blackholeOrder.count, blackholeOrder[gone].until <= time {
            let entry = blackholeOrder[gone]
            if blackholes[entry.key] == entry.until { blackholes[entry.key] = nil }
            gone += 1
        }
        if gone > 0 { blackholeOrder.removeFirst(gone) }
    }
}
