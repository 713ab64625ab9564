import CrowdCore
import CrowdExpr

/// What a bucket keeps of an event: its fields in one block of memory, shared by all buckets it was poured into.
///
/// Which maps are kept is decided when scenarios are loaded: Meta always, since alerts show it; Enriched because
/// sources are made from it; Parsed and JSON only where an expression may look at a queued event.
final class FrozenEvent: ValueObject {
    struct Entry {
        var key: UInt16
        var length: UInt32
        var offset: UInt32
    }

    let kind: Event.Kind
    /// The event's own time: the clock's when live, the log's in a replay.
    let time: Timestamp
    /// The log's date as text, for the alert; empty when no parser found one.
    private let marshaled: Entry
    let counts: (meta: Int, enriched: Int, parsed: Int)
    /// One block of memory: the entries, then the bytes.
    let entries: UnsafeMutablePointer<Entry>
    let bytes: UnsafeMutablePointer<UInt8>
    private let keys: KeyTable
    /// An overflow that was poured again.
    let overflow: OverflowObject?
    /// JSON output and the line's own texts, kept for scenarios that look at them.
    let extra: Extra?

    /// What few scenarios need: a copy of its own.
    final class Extra {
        let arena = Arena(chunkSize: 1_024)
        let unmarshaled: Value
        let raw: ByteSlice
        let source: ByteSlice
        let module: ByteSlice

        init(json: ByteSlice, raw: ByteSlice, source: ByteSlice, module: ByteSlice) {
            unmarshaled = (try? ValueJSON.parse(json, arena: arena)) ?? .map(MapValue())
            self.raw = arena.copy(raw)
            self.source = arena.copy(source)
            self.module = arena.copy(module)
        }

        init(_ event: Event) {
            unmarshaled = Value.map(event.unmarshaled).copied(into: arena)
            raw = arena.copy(event.line.raw)
            source = arena.copy(event.line.source)
            module = arena.copy(event.line.module)
        }
    }

    init(_ event: Event, time: Timestamp, keepingAll: Bool) {
        kind = event.kind
        self.time = time
        keys = event.keys
        overflow = event.overflow as? OverflowObject
        extra = keepingAll ? Extra(event) : nil
        counts = (event.meta.count, event.enriched.count, keepingAll ? event.parsed.count : 0)
        let total = counts.meta + counts.enriched + counts.parsed + 1
        (entries, bytes, marshaled) = withUnsafeTemporaryAllocation(of: Placed.self, capacity: total) { places in
            var size = 0
            var count = 0
            func place(_ key: FieldKey, _ text: ByteSlice) {
                // What a static copied from one field to another lies at one place: it is kept once.
                let twin = places[..<count].first { $0.text.base == text.base && $0.text.count == text.count }
                let offset = twin?.offset ?? UInt32(size)
                if twin == nil { size += text.count }
                places.initializeElement(
                    at: count, to: Placed(key: key, text: text, offset: offset, isCopy: twin != nil))
                count += 1
            }
            for key in event.meta.keys { place(key, event.meta[key]) }
            for key in event.enriched.keys { place(key, event.enriched[key]) }
            if keepingAll { for key in event.parsed.keys { place(key, event.parsed[key]) } }
            place(0, event.marshaledTime)
            return FrozenEvent.store(places[..<count], bytes: size)
        }
    }

    /// A text on its way into the block.
    private struct Placed {
        let key: FieldKey
        let text: ByteSlice
        let offset: UInt32
        /// An earlier one has brought the bytes.
        let isCopy: Bool
        var entry: Entry {
            Entry(key: UInt16(truncatingIfNeeded: key), length: UInt32(text.count), offset: offset)
        }
    }

    /// The block with all texts, and the entry of the last one, which is nobody's field.
    private static func store(
        _ places: Slice<UnsafeMutableBufferPointer<Placed>>, bytes size: Int
    ) -> (UnsafeMutablePointer<Entry>, UnsafeMutablePointer<UInt8>, Entry) {
        let (entries, bytes) = allocate(entries: places.count - 1, bytes: size)
        for (index, place) in places.enumerated() {
            if !place.isCopy { (bytes + Int(place.offset)).update(from: place.text.base, count: place.text.count) }
            if index < places.count - 1 { (entries + index).initialize(to: place.entry) }
        }
        return (entries, bytes, places[places.endIndex - 1].entry)
    }

    /// As it was written to a snapshot: the texts of Meta, Enriched and Parsed one after the other.
    init(
        kind: Event.Kind, time: Timestamp, keys: KeyTable, counts: (meta: Int, enriched: Int, parsed: Int),
        overflow: OverflowObject?, extra: Extra?, texts: [(key: FieldKey, text: ByteSlice)], marshaled: ByteSlice
    ) {
        self.kind = kind
        self.time = time
        self.keys = keys
        self.counts = counts
        self.overflow = overflow
        self.extra = extra
        let size = texts.reduce(marshaled.count) { $0 + $1.text.count }
        (entries, bytes) = FrozenEvent.allocate(entries: texts.count, bytes: size)
        var at = 0
        for (index, item) in texts.enumerated() {
            (bytes + at).update(from: item.text.base, count: item.text.count)
            (entries + index).initialize(
                to: Entry(
                    key: UInt16(truncatingIfNeeded: item.key), length: UInt32(item.text.count), offset: UInt32(at)))
            at += item.text.count
        }
        (bytes + at).update(from: marshaled.base, count: marshaled.count)
        self.marshaled = Entry(key: 0, length: UInt32(marshaled.count), offset: UInt32(at))
    }

    private static func allocate(
        entries: Int, bytes: Int
    ) -> (UnsafeMutablePointer<Entry>, UnsafeMutablePointer<UInt8>) {
        let room = entries * MemoryLayout<Entry>.stride
        let block = UnsafeMutableRawPointer.allocate(byteCount: room + bytes, alignment: MemoryLayout<Entry>.alignment)
        return (
            block.bindMemory(to: Entry.self, capacity: entries),
            (block + room).bindMemory(to: UInt8.self, capacity: bytes)
        )
    }

    deinit { UnsafeMutableRawPointer(entries).deallocate() }

    func text(_ entry: Entry) -> ByteSlice {
        ByteSlice(base: bytes + Int(entry.offset), count: Int(entry.length))
    }

    var marshaledTime: ByteSlice { text(marshaled) }

    func meta(_ key: FieldKey) -> ByteSlice? { find(key, 0..<counts.meta) }
    func enriched(_ key: FieldKey) -> ByteSlice? { find(key, counts.meta..<(counts.meta + counts.enriched)) }

    private func find(_ key: FieldKey, _ range: Range<Int>) -> ByteSlice? {
        for index in range where entries[index].key == key { return text(entries[index]) }
        return nil
    }

    /// The keys of Meta, in order of setting.
    var metaKeys: [FieldKey] { (0..<counts.meta).map { FieldKey(entries[$0].key) } }

    func hasMetaKeys(_ keys: [FieldKey]) -> Bool {
        guard keys.count == counts.meta else { return false }
        for index in 0..<counts.meta where FieldKey(entries[index].key) != keys[index] { return false }
        return true
    }

    /// Key and text of Meta at a place in the order of setting, which must be there.
    func metaEntry(_ place: Int) -> (key: FieldKey, text: ByteSlice) {
        (FieldKey(entries[place].key), text(entries[place]))
    }

    /// Meta, Enriched and Parsed of a live event with the same numbering of names.
    func setFields(of event: Event) {
        for (map, range) in [
            (event.meta, range(EventTypes.EventField.meta)), (event.enriched, range(EventTypes.EventField.enriched)),
            (event.parsed, range(EventTypes.EventField.parsed)),
        ] {
            for index in range ?? 0..<0 { map.set(FieldKey(entries[index].key), text(entries[index])) }
        }
    }

    private func range(_ field: Int) -> Range<Int>? {
        switch field {
        case EventTypes.EventField.meta: 0..<counts.meta
        case EventTypes.EventField.enriched: counts.meta..<(counts.meta + counts.enriched)
        case EventTypes.EventField.parsed:
            (counts.meta + counts.enriched)..<(counts.meta + counts.enriched + counts.parsed)
        default: nil
        }
    }

    // MARK: as a value in `queue.Queue`

    var type: ObjectType { EventTypes.event }

    func field(_ index: Int) -> Value {
        typealias Field = EventTypes.EventField
        if let range = range(index) {
            let map = MapValue(missing: .string(.empty))
            for index in range { map.set(keys.name(FieldKey(entries[index].key)), .string(text(entries[index]))) }
            return .map(map)
        }
        switch index {
        case Field.type: return .int(kind.rawValue)
        case Field.time: return .time(time)
        case Field.marshaledTime: return .string(marshaledTime)
        case Field.unmarshaled: return extra?.unmarshaled ?? .map(MapValue())
        case Field.overflow: return .object(overflow ?? EmptyObject.overflow)
        case Field.line: return extra.map { .object(FrozenLine($0.raw, $0.source, $0.module)) } ?? .null
        case Field.process: return .bool(true)
        default: return .null
        }
    }

    func entry(_ index: Int, key: ByteSlice) -> Value? {
        guard range(index) != nil else {
            guard case .map(let map) = field(index) else { return nil }
            return map.find(key)
        }
        guard let number = keys.find(String(key)) else { return nil }
        return entry(index, key: key, number: number)
    }

    func entry(_ index: Int, key: ByteSlice, number: FieldKey) -> Value? {
        guard let range = range(index) else { return entry(index, key: key) }
        return find(number, range).map { .string($0) }
    }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        switch method {
        case EventTypes.EventMethod.getType: return .string(arena.copy(kind == .log ? "log" : "overflow"))
        case EventTypes.EventMethod.getMeta:
            guard let key = keys.find(String(try arguments.text(0))) else { return .string(.empty) }
            return .string(meta(key) ?? .empty)
        default: throw ValueError("a queued event cannot be changed")
        }
    }
}

/// `Line` of a queued event.
private final class FrozenLine: ValueObject {
    private let texts: [ByteSlice]
    init(_ raw: ByteSlice, _ source: ByteSlice, _ module: ByteSlice) { texts = [raw, source, module] }
    var type: ObjectType { EventTypes.line }
    func field(_ index: Int) -> Value {
        switch index {
        case EventTypes.LineField.raw: .string(texts[0])
        case EventTypes.LineField.source: .string(texts[1])
        case EventTypes.LineField.module: .string(texts[2])
        default: .null
        }
    }
}
