import CrowdCore

/// One live bucket: counts, limiter, queue, and its links in the scenario's list of buckets by age.
///
/// It has no timer: its owner sweeps the list from the oldest end.
final class Bucket {
    /// The groupby value; the memory is the bucket's own, and the store's table points at it.
    let key: ByteSlice
    private let keyMemory: UnsafeMutablePointer<UInt8>
    let isReplay: Bool
    var limiter: LeakyBucket
    var total = 0
    var first = Timestamp(nanoseconds: 0)
    var last = Timestamp(nanoseconds: 0)
    var overflowed = Timestamp(nanoseconds: 0)
    var queue: [FrozenEvent] = []
    /// Keyed 64-bit hashes of the values that `distinct` has seen; whoever writes the log does not know the key.
    var seen: Set<UInt64> = []
    /// Bayesian conditions that were true once and stay so.
    var guillotined: Set<Int> = []
    /// When the sweep may take it: by the wall clock.
    var deadline = Timestamp(nanoseconds: 0)
    // The list by age; the store owns the buckets, the links do not.
    unowned(unsafe) var older: Bucket?
    unowned(unsafe) var newer: Bucket?

    init(key: ByteSlice, capacity: Int, isReplay: Bool) {
        keyMemory = .allocate(capacity: max(key.count, 1))
        keyMemory.update(from: key.base, count: key.count)
        self.key = ByteSlice(base: keyMemory, count: key.count)
        self.isReplay = isReplay
        limiter = LeakyBucket(capacity: capacity)
    }

    deinit { keyMemory.deallocate() }

    /// As new, for the same partition.
    func restart(capacity: Int) {
        limiter = LeakyBucket(capacity: capacity)
        total = 0
        queue.removeAll(keepingCapacity: true)
        if !seen.isEmpty { seen.removeAll(keepingCapacity: true) }
        if !guillotined.isEmpty { guillotined.removeAll() }
    }

    func enqueue(_ event: FrozenEvent, limit: Int?) {
        // Without a limit of its own a queue still ends somewhere.
        let limit = limit ?? 10_000
        while queue.count >= limit, !queue.isEmpty { queue.removeFirst() }
        queue.append(event)
    }
}
