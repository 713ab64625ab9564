import CrowdCore

/// One live bucket: counts, limiter, queue, and its links in the scenario's list of buckets by age.
///
/// A value in its store's slab; whoever works on it holds a pointer for that long. It has no timer: its owner sweeps the
/// list from the oldest end.
struct Bucket {
    /// The groupby value; the memory is the bucket's own and is freed by `BucketStore.remove`: `room`, as for nearly every
    /// address, or where it is longer a piece apart.
    let key: ByteSlice
    var room: (UInt64, UInt64) = (0, 0)
    /// Of the key; the store's table finds the bucket by it.
    let hash: UInt64
    let place: Int32
    let isReplay: Bool
    var limiter: LeakyBucket
    var total = 0
    var first = Timestamp(nanoseconds: 0)
    var last = Timestamp(nanoseconds: 0)
    var overflowed = Timestamp(nanoseconds: 0)
    var queue: [FrozenEvent] = []
    /// What few scenarios need.
    var memory: BucketMemory?
    /// When the sweep may take it: by the wall clock.
    var deadline = Timestamp(nanoseconds: 0)
    // The list by age: places in the slab, -1 for none.
    var older: Int32 = -1
    var newer: Int32 = -1

    /// How long a key may be that lies in the bucket itself.
    static let longestKeyInside = MemoryLayout<(UInt64, UInt64)>.size
    static let roomOffset = MemoryLayout<Bucket>.offset(of: \.room) ?? 0

    /// As new, for the same partition.
    mutating func restart(capacity: Int) {
        limiter = LeakyBucket(capacity: capacity)
        total = 0
        queue.removeAll(keepingCapacity: true)
        memory = nil
    }

    /// Without a limit of its own a queue still ends somewhere: then the oldest quarter goes at once.
    private static let longestQueue = 2_500

    mutating func enqueue(_ event: FrozenEvent, limit: Int?) {
        if let limit {
            if queue.count >= limit, !queue.isEmpty { queue.removeFirst(queue.count - limit + 1) }
        } else if queue.count >= Bucket.longestQueue {
            queue.removeFirst(Bucket.longestQueue / 4)
        }
        queue.append(event)
    }

    /// False when `distinct` has met a value with this hash before.
    mutating func remember(_ hash: UInt64) -> Bool {
        ownMemory().seen.insert(hash)
    }

    /// Its memory, made when it is first needed.
    mutating func ownMemory() -> BucketMemory {
        let own = memory ?? BucketMemory()
        memory = own
        return own
    }
}

/// What a bucket remembers beyond its queue.
final class BucketMemory {
    /// The values that `distinct` has seen.
    var seen = SeenHashes()
    /// Bayesian conditions that were true once and stay so.
    var guillotined: Set<Int> = []
    /// The queue as conditions see it; made anew from the queue when it is missing.
    var queue: QueueObject?
}

/// Keyed 64-bit hashes of values; whoever writes the log does not know the key. Most buckets see few: those are in a row.
struct SeenHashes {
    private static let longestRow = 16
    private var row: [UInt64] = []
    private var others: Set<UInt64> = []

    /// False when it was there before.
    mutating func insert(_ hash: UInt64) -> Bool {
        if row.contains(hash) { return false }
        if row.count == Self.longestRow { return others.insert(hash).inserted }
        row.append(hash)
        return true
    }

    var all: [UInt64] { row + others }
}

typealias BucketPointer = UnsafeMutablePointer<Bucket>
