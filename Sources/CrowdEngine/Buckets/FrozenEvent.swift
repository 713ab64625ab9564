import CrowdCore

/// What a bucket keeps of an event: its fields in one block of memory, shared by all buckets it was poured into.
///
/// Which maps are kept is decided when scenarios are loaded: Meta always, since alerts show it; Enriched because
/// sources are made from it; Parsed and JSON only where an expression may look at a queued event.
final class FrozenEvent: ValueObject {
    private struct Entry {
        var key: UInt16
        var length: UInt32
        var offset: UInt32
    }

    let kind: Event.Kind
    /// The event's own time: the clock's when live, the log's in a replay.
    let time: Timestamp
    /// The log's date as text, for the alert; empty when no parser found one.
    private let marshaled: Entry
    private let counts: (meta: Int, enriched: Int, parsed: Int)
    private let entries: UnsafeMutablePointer<Entry>
    private let bytes: UnsafeMutablePointer<UInt8>
    private let keys: KeyTable
    /// An overflow that was poured again.
    let overflow: OverflowObject?
    /// JSON output and the line's own texts, kept for scenarios that look at them.
    private let extra: Extra?

    /// What few scenarios need: a copy of its own.
    private final class Extra {
        let arena = Arena(chunkSize: 1_024)
        let unmarshaled: Value
        let raw: ByteSlice
        let source: ByteSlice
        let module: ByteSlice

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
        let maps = keepingAll ? [event.meta, event.enriched, event.parsed] : [event.meta, event.enriched]
        counts = (event.meta.keys.count, event.enriched.keys.count, keepingAll ? event.parsed.keys.count : 0)
        let total = counts.meta + counts.enriched + counts.parsed
        var size = event.marshaledTime.count
        for map in maps { for key in map.keys { size += map[key].count } }
        entries = .allocate(capacity: max(total, 1))
        bytes = .allocate(capacity: max(size, 1))
        var (next, at) = (0, 0)
        for map in maps {
            for key in map.keys {
                let text = map[key]
                (bytes + at).update(from: text.base, count: text.count)
                (entries + next).initialize(
                    to: Entry(key: UInt16(truncatingIfNeeded: key), length: UInt32(text.count), offset: UInt32(at)))
                next += 1
                at += text.count
            }
        }
        (bytes + at).update(from: event.marshaledTime.base, count: event.marshaledTime.count)
        marshaled = Entry(key: 0, length: UInt32(event.marshaledTime.count), offset: UInt32(at))
    }

    deinit {
        entries.deallocate()
        bytes.deallocate()
    }

    private func text(_ entry: Entry) -> ByteSlice {
        ByteSlice(base: bytes + Int(entry.offset), count: Int(entry.length))
    }

    var marshaledTime: ByteSlice { text(marshaled) }

    /// Bytes of memory, for the ceiling.
    var size: Int {
        160 + (counts.meta + counts.enriched + counts.parsed) * 12 + Int(marshaled.offset + marshaled.length)
    }

    func meta(_ key: FieldKey) -> ByteSlice? { find(key, 0..<counts.meta) }
    func enriched(_ key: FieldKey) -> ByteSlice? { find(key, counts.meta..<(counts.meta + counts.enriched)) }

    private func find(_ key: FieldKey, _ range: Range<Int>) -> ByteSlice? {
        for index in range where entries[index].key == key { return text(entries[index]) }
        return nil
    }

    /// All of Meta, in order of setting.
    func forEachMeta(_ body: (FieldKey, ByteSlice) -> Void) {
        for index in 0..<counts.meta { body(FieldKey(entries[index].key), text(entries[index])) }
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
        guard let range = range(index) else {
            guard case .map(let map) = field(index) else { return nil }
            return map.find(key)
        }
        guard let id = keys.find(String(key)) else { return nil }
        return find(id, range).map { .string($0) }
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
