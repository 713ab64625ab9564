import CrowdCore

/// Which fields a kept event has: those of Meta, then Enriched, then Parsed, each in order of setting.
///
/// Lines that went the same way through the parsers give events of one shape, which they share.
final class FrozenShape {
    typealias Counts = (meta: Int, enriched: Int, parsed: Int)
    typealias Keys = UnsafeBufferPointer<FieldKey>

    let keys: [UInt16]
    let counts: Counts
    let table: KeyTable

    init(_ keys: [UInt16], _ counts: Counts, _ table: KeyTable) {
        self.keys = keys
        self.counts = counts
        self.table = table
    }

    var meta: Range<Int> { 0..<counts.meta }
    var enriched: Range<Int> { counts.meta..<(counts.meta + counts.enriched) }
    var parsed: Range<Int> { (counts.meta + counts.enriched)..<keys.count }

    func key(_ place: Int) -> FieldKey { FieldKey(keys[place]) }

    /// Whether these are its fields, in this order.
    func has(_ meta: Keys, _ enriched: Keys, _ parsed: Keys) -> Bool {
        guard counts == (meta.count, enriched.count, parsed.count) else { return false }
        return keys.withUnsafeBufferPointer { own in
            FrozenShape.isSame(own, 0, meta) && FrozenShape.isSame(own, meta.count, enriched)
                && FrozenShape.isSame(own, meta.count + enriched.count, parsed)
        }
    }

    private static func isSame(_ own: UnsafeBufferPointer<UInt16>, _ start: Int, _ keys: Keys) -> Bool {
        for index in keys.indices where own[start + index] != UInt16(truncatingIfNeeded: keys[index]) { return false }
        return true
    }

    /// Where a key is within a map's places; nil when it was not set.
    func place(of key: FieldKey, in map: Range<Int>) -> Int? {
        keys.withUnsafeBufferPointer { keys in
            for place in map where FieldKey(keys[place]) == key { return place }
            return nil
        }
    }
}

/// The shapes met lately. One worker's own.
///
/// Who writes a log may choose fields' names (members of a JSON text): shapes have a bounded number of places and take them
/// from each other, and those that go on to be met soon have one again.
final class FrozenShapes {
    private static let placeBits: UInt64 = 9

    private let table: KeyTable
    private var known: [FrozenShape?] = Array(repeating: nil, count: 1 << Int(FrozenShapes.placeBits))

    init(_ table: KeyTable) { self.table = table }

    func shape(of event: Event, keepingAll: Bool) -> FrozenShape {
        let none = FrozenShape.Keys(start: nil, count: 0)
        return find(event.meta.keys, event.enriched.keys, keepingAll ? event.parsed.keys : none)
    }

    func shape(_ keys: [FieldKey], _ counts: FrozenShape.Counts) -> FrozenShape {
        keys.withUnsafeBufferPointer { keys in
            let parsed = counts.meta + counts.enriched
            return find(
                FrozenShape.Keys(rebasing: keys[..<counts.meta]),
                FrozenShape.Keys(rebasing: keys[counts.meta..<parsed]), FrozenShape.Keys(rebasing: keys[parsed...]))
        }
    }

    private func find(
        _ meta: FrozenShape.Keys, _ enriched: FrozenShape.Keys, _ parsed: FrozenShape.Keys
    ) -> FrozenShape {
        let hash = FrozenShapes.hash(parsed, FrozenShapes.hash(enriched, FrozenShapes.hash(meta, 0)))
        let place = Int(hash >> (64 - FrozenShapes.placeBits))
        if let shape = known[place], shape.has(meta, enriched, parsed) { return shape }
        let keys = [meta, enriched, parsed].flatMap { $0.map { UInt16(truncatingIfNeeded: $0) } }
        let made = FrozenShape(keys, (meta.count, enriched.count, parsed.count), table)
        known[place] = made
        return made
    }

    /// Which place: whoever finds two shapes that want the same one only has them made more often.
    private static func hash(_ keys: FrozenShape.Keys, _ start: UInt64) -> UInt64 {
        var hash = start
        for key in keys { hash = (hash ^ UInt64(truncatingIfNeeded: key + 1)) &* 0x9e37_79b9_7f4a_7c15 }
        return hash
    }
}
