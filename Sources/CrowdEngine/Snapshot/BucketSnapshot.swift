import CrowdCore

/// A worker's buckets as bytes, so that a restart or a reload goes on with them.
///
/// Scenarios are known by the digest of their text: a bucket whose scenario has changed or is gone is left out and
/// counted. Events are shared between buckets, in the snapshot too. Fields are known by name. Deadlines are wall-clock
/// times, limiters know their last pour: the time in between leaks as if nobody had been away.
///
///     version | key names | events | scenarios: digest, buckets, blackholes | stashes
struct BucketSnapshot {
    private static let version: UInt8 = 1

    /// The events met so far, numbered.
    private struct Events {
        var numbers: [ObjectIdentifier: UInt32] = [:]
        var all: [FrozenEvent] = []

        mutating func number(_ event: FrozenEvent) -> UInt32 {
            if let known = numbers[ObjectIdentifier(event)] { return known }
            let number = UInt32(all.count)
            numbers[ObjectIdentifier(event)] = number
            all.append(event)
            return number
        }
    }

    // MARK: writing

    static func write(_ stores: [BucketStore], _ content: Content, to writer: inout ByteWriter) {
        var events = Events()
        var body = ByteWriter()
        let used = stores.filter { $0.count > 0 || $0.blackholeCount > 0 }
        body.number(UInt32(used.count))
        for store in used {
            body.text(store.scenario.digest)
            body.number(UInt32(store.count))
            store.visit { write($0, &events, to: &body) }
            store.writeBlackholes(to: &body)
        }
        writer.byte(version)
        let names = content.keys.names
        writer.number(UInt32(names.count))
        for name in names { writer.text(name) }
        writer.number(UInt32(events.all.count))
        for event in events.all { event.write(to: &writer) }
        writer.append(body)
        content.data.stashes.write(to: &writer)
    }

    private static func write(_ bucket: borrowing Bucket, _ events: inout Events, to writer: inout ByteWriter) {
        writer.text(bucket.key)
        writer.bool(bucket.isReplay)
        bucket.limiter.write(to: &writer)
        writer.int(bucket.total)
        for time in [bucket.first, bucket.last, bucket.deadline] { writer.time(time) }
        writer.number(UInt32(bucket.queue.count))
        for event in bucket.queue { writer.number(events.number(event)) }
        let seen = bucket.memory?.seen.all ?? []
        writer.number(UInt32(seen.count))
        for hash in seen { writer.number(hash) }
        let guillotined = bucket.memory?.guillotined ?? []
        writer.number(UInt32(guillotined.count))
        for number in guillotined { writer.number(UInt32(number)) }
    }

    // MARK: reading

    static func read(
        _ reader: inout ByteReader, into stores: [BucketStore], _ content: Content, encoder: EventEncoder
    ) throws(DamagedBytes) -> BucketRestoration {
        guard try reader.byte() == version else { throw reader.damage }
        var keyMap: [FieldKey] = []
        for _ in 0..<(try reader.count()) {
            guard let key = content.keys.intern(try reader.string()) else { throw reader.damage }
            keyMap.append(key)
        }
        let shapes = FrozenShapes(content.keys)
        var events: [FrozenEvent] = []
        for _ in 0..<(try reader.count()) {
            events.append(try FrozenEvent.read(&reader, shapes: shapes, keyMap: keyMap, encoder: encoder))
        }
        var byDigest: [[UInt8]: BucketStore] = [:]
        for store in stores { byDigest[store.scenario.digest] = store }
        var result = BucketRestoration()
        for _ in 0..<(try reader.count()) {
            let store = byDigest[Array(try reader.text().buffer)]
            for _ in 0..<(try reader.count()) {
                try readBucket(&reader, into: store, events)
                if store == nil { result.dropped += 1 } else { result.restored += 1 }
            }
            try BucketStore.readBlackholes(&reader, into: store)
        }
        try content.data.stashes.read(&reader)
        return result
    }

    private static func readBucket(
        _ reader: inout ByteReader, into store: BucketStore?, _ events: [FrozenEvent]
    ) throws(DamagedBytes) {
        let (key, isReplay) = (try reader.text(), try reader.bool())
        let limiter = try LeakyBucket(&reader)
        let total = try reader.int()
        let (first, last, deadline) = (try reader.time(), try reader.time(), try reader.time())
        var queue: [FrozenEvent] = []
        for _ in 0..<(try reader.count()) {
            let number = Int(try reader.number(UInt32.self))
            guard number < events.count else { throw reader.damage }
            queue.append(events[number])
        }
        var seen: [UInt64] = []
        for _ in 0..<(try reader.count()) { seen.append(try reader.number()) }
        var guillotined: Set<Int> = []
        for _ in 0..<(try reader.count()) { guillotined.insert(Int(try reader.number(UInt32.self))) }
        guard let store, store.find(key, hash: key.keyedHash) == nil else { return }
        let bucket = store.make(key, hash: key.keyedHash, isReplay: isReplay)
        bucket.pointee.limiter = limiter
        bucket.pointee.total = total
        bucket.pointee.first = first
        bucket.pointee.last = last
        bucket.pointee.deadline = deadline
        bucket.pointee.queue = queue
        guard !seen.isEmpty || !guillotined.isEmpty else { return }
        let memory = BucketMemory()
        for hash in seen { _ = memory.seen.insert(hash) }
        memory.guillotined = guillotined
        bucket.pointee.memory = memory
    }
}

/// What became of a snapshot's buckets.
public struct BucketRestoration: Sendable, Equatable {
    public var restored = 0
    /// Their scenarios have changed or are gone.
    public var dropped = 0
}
