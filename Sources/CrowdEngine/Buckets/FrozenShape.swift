import CrowdCore

/// Which fields a kept event has: those of Meta, then Enriched, then Parsed, each in order of setting.
///
/// Lines that went the same way through the parsers give events of one shape, which they share.
final class FrozenShape {
    typealias Counts = (meta: Int, enriched: Int, parsed: Int)

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

    /// Where a key is within a map's places; nil when it was not set.
    func place(of key: FieldKey, in map: Range<Int>) -> Int? {
        keys.withUnsafeBufferPointer { keys in
            for place in map where FieldKey(keys[place]) == key { return place }
            return nil
        }
    }
}

/// The shapes met so far. One worker's own.
///
/// Who writes a log may choose fields' names (members of a JSON text): when there are very many shapes, all are forgotten, and
/// those that go on to be met are soon known again.
final class FrozenShapes {
    private static let most = 512

    private let table: KeyTable
    private var known: [UInt64: FrozenShape] = [:]
    private var keys: [UInt16] = []

    init(_ table: KeyTable) { self.table = table }

    func shape(of event: Event, keepingAll: Bool) -> FrozenShape {
        keys.removeAll(keepingCapacity: true)
        for key in event.meta.keys { add(key) }
        for key in event.enriched.keys { add(key) }
        if keepingAll { for key in event.parsed.keys { add(key) } }
        return find((event.meta.count, event.enriched.count, keepingAll ? event.parsed.count : 0))
    }

    func shape(_ keys: [FieldKey], _ counts: FrozenShape.Counts) -> FrozenShape {
        self.keys.removeAll(keepingCapacity: true)
        for key in keys { add(key) }
        return find(counts)
    }

    private func add(_ key: FieldKey) { keys.append(UInt16(truncatingIfNeeded: key)) }

    /// The shape of `keys`.
    private func find(_ counts: FrozenShape.Counts) -> FrozenShape {
        let hash = keys.withUnsafeBytes {
            ByteSlice($0.bindMemory(to: UInt8.self)).hash(keyedBy: UInt64(counts.meta << 16 + counts.enriched))
        }
        if let shape = known[hash], shape.counts == counts, shape.keys == keys { return shape }
        if known.count >= Self.most { known = [:] }
        let made = FrozenShape(keys, counts, table)
        known[hash] = made
        return made
    }
}
