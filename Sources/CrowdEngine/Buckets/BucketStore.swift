import CrowdCore

/// The live buckets of one scenario, by groupby value and by age. One worker's own.
///
/// (1) The table's keys point into the buckets' own memory. (2) The list runs from the bucket whose turn comes first
/// to the one poured into last, since all buckets of a scenario live equally long; so a sweep costs what it removes.
final class BucketStore {
    let scenario: Scenario
    private var table: [ByteSlice: Bucket] = [:]
    private unowned(unsafe) var oldest: Bucket?
    private unowned(unsafe) var newest: Bucket?
    /// Partition to the end of its blackhole.
    private var blackholes: [[UInt8]: Timestamp] = [:]
    private var blackholeOrder: [(key: [UInt8], until: Timestamp)] = []

    init(_ scenario: Scenario) { self.scenario = scenario }

    var count: Int { table.count }
    var buckets: [Bucket] { Array(table.values) }

    func find(_ key: ByteSlice) -> Bucket? { table[key] }

    func make(_ key: ByteSlice, isReplay: Bool) -> Bucket {
        let bucket = Bucket(key: key, capacity: scenario.config.capacity, isReplay: isReplay)
        table[bucket.key] = bucket
        append(bucket)
        return bucket
    }

    func remove(_ bucket: Bucket) {
        unlink(bucket)
        // The key's memory belongs to the bucket, which `bucket` keeps alive until the table has let go.
        withExtendedLifetime(bucket) { table[bucket.key] = nil }
    }

    /// Its life begins anew: to the young end of the list.
    func touch(_ bucket: Bucket) {
        guard newest !== bucket else { return }
        unlink(bucket)
        append(bucket)
    }

    private func append(_ bucket: Bucket) {
        bucket.older = newest
        bucket.newer = nil
        newest?.newer = bucket
        newest = bucket
        if oldest == nil { oldest = bucket }
    }

    private func unlink(_ bucket: Bucket) {
        if let older = bucket.older { older.newer = bucket.newer } else { oldest = bucket.newer }
        if let newer = bucket.newer { newer.older = bucket.older } else { newest = bucket.older }
        bucket.older = nil
        bucket.newer = nil
    }

    /// The bucket whose time is over, nil when none is; the caller removes it.
    func due(at now: Timestamp) -> Bucket? {
        guard let oldest, oldest.deadline < now else { return nil }
        return oldest
    }

    var eldest: Bucket? { oldest }

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
