import CrowdCore
import CrowdExpr

/// What a kept event is beside its texts.
struct FrozenHead {
    let shape: FrozenShape
    let kind: Event.Kind
    /// The texts end beyond 64 KiB: their places are numbers of four bytes instead of two.
    let isWide: Bool
    let time: Timestamp
    let rare: FrozenEvent.Rare?
}

/// What a bucket keeps of an event, in one block of memory, shared by all buckets it was poured into.
///
/// Which maps are kept is decided when scenarios are loaded: Meta always, since alerts show it; Enriched because
/// sources are made from it; Parsed and JSON only where an expression may look at a queued event.
///
///     head | offset and length of each field's text | of the log's own date | the texts
///
/// There are as many of them as lines in the buckets' time: a hundred thousand, of some two hundred bytes.
final class FrozenEvent: ManagedBuffer<FrozenHead, UInt8>, ValueObject {
    /// What few events have.
    final class Rare {
        /// An overflow that was poured again.
        let overflow: OverflowObject?
        let extra: Extra?

        private init(_ overflow: OverflowObject?, _ extra: Extra?) {
            self.overflow = overflow
            self.extra = extra
        }

        /// nil when there is neither.
        static func of(_ overflow: OverflowObject?, _ extra: Extra?) -> Rare? {
            overflow == nil && extra == nil ? nil : Rare(overflow, extra)
        }
    }

    /// JSON output and the line's own texts, kept for scenarios that look at them: a copy of its own.
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

    // MARK: making

    static func keep(_ event: Event, time: Timestamp, keepingAll: Bool, _ shapes: FrozenShapes) -> FrozenEvent {
        let shape = shapes.shape(of: event, keepingAll: keepingAll)
        let rare = Rare.of(event.overflow as? OverflowObject, keepingAll ? Extra(event) : nil)
        return withUnsafeTemporaryAllocation(of: ByteSlice.self, capacity: shape.keys.count + 1) { texts in
            var end = event.enriched.fill(texts, from: event.meta.fill(texts, from: 0))
            if keepingAll { end = event.parsed.fill(texts, from: end) }
            texts.initializeElement(at: end, to: event.marshaledTime)
            return make(shape, event.kind, time, rare, UnsafeBufferPointer(texts))
        }
    }

    /// - Parameter texts: those of the shape's fields, and the log's own date.
    static func make(
        _ shape: FrozenShape, _ kind: Event.Kind, _ time: Timestamp, _ rare: Rare?,
        _ texts: UnsafeBufferPointer<ByteSlice>
    ) -> FrozenEvent {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: texts.count) { offsets in
            let size = place(texts, offsets)
            let isWide = texts.count * 4 + size > UInt16.max
            let room = texts.count * (isWide ? 8 : 4)
            let made = create(minimumCapacity: room + size) { _ in
                FrozenHead(shape: shape, kind: kind, isWide: isWide, time: time, rare: rare)
            }
            let event = unsafeDowncast(made, to: FrozenEvent.self)
            for index in texts.indices { event.store(texts[index], at: room + offsets[index], index) }
            return event
        }
    }

    /// Gives each text its offset among the texts; what a static copied from one field to another lies at one place and is
    /// kept once (unless its place among those that are remembered was taken by another).
    private static func place(
        _ texts: UnsafeBufferPointer<ByteSlice>, _ offsets: UnsafeMutableBufferPointer<Int>
    ) -> Int {
        var size = 0
        // By the hash of where they lie, numbers of texts.
        var latest = InlineArray<64, UInt32>(repeating: 0)
        for index in 0..<texts.count {
            let text = texts[index]
            let slot = Int((UInt64(UInt(bitPattern: text.base)) &* 0x9e37_79b9_7f4a_7c15) >> 58)
            let twin = Int(latest[slot])
            latest[slot] = UInt32(truncatingIfNeeded: index)
            if twin < index, texts[twin].base == text.base, texts[twin].count == text.count {
                offsets.initializeElement(at: index, to: offsets[twin])
            } else {
                offsets.initializeElement(at: index, to: size)
                size += text.count
            }
        }
        return size
    }

    // MARK: texts

    private var block: UnsafeMutableRawPointer { withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) } }

    private func store(_ text: ByteSlice, at offset: Int, _ index: Int) {
        if header.isWide {
            let place = (UInt32(truncatingIfNeeded: offset), UInt32(truncatingIfNeeded: text.count))
            block.storeBytes(of: place, toByteOffset: index * 8, as: (UInt32, UInt32).self)
        } else {
            let place = (UInt16(truncatingIfNeeded: offset), UInt16(truncatingIfNeeded: text.count))
            block.storeBytes(of: place, toByteOffset: index * 4, as: (UInt16, UInt16).self)
        }
        (block + offset).copyMemory(from: text.base, byteCount: text.count)
    }

    /// Of a field by its place in the shape; the one behind the last is the log's own date.
    func text(_ index: Int) -> ByteSlice {
        let (offset, count): (Int, Int)
        if header.isWide {
            let place = block.loadUnaligned(fromByteOffset: index * 8, as: (UInt32, UInt32).self)
            (offset, count) = (Int(place.0), Int(place.1))
        } else {
            let place = block.loadUnaligned(fromByteOffset: index * 4, as: (UInt16, UInt16).self)
            (offset, count) = (Int(place.0), Int(place.1))
        }
        return ByteSlice(base: (block + offset).assumingMemoryBound(to: UInt8.self), count: count)
    }

    var shape: FrozenShape { header.shape }
    var kind: Event.Kind { header.kind }
    /// The event's own time: the clock's when live, the log's in a replay.
    var time: Timestamp { header.time }
    var overflow: OverflowObject? { header.rare?.overflow }
    var extra: Extra? { header.rare?.extra }
    /// The log's date as text, for the alert; empty when no parser found one.
    var marshaledTime: ByteSlice { text(shape.keys.count) }

    func meta(_ key: FieldKey) -> ByteSlice? { find(key, shape.meta) }
    func enriched(_ key: FieldKey) -> ByteSlice? { find(key, shape.enriched) }

    private func find(_ key: FieldKey, _ map: Range<Int>) -> ByteSlice? {
        shape.place(of: key, in: map).map(text)
    }

    /// Meta, Enriched and Parsed of a live event with the same numbering of names.
    func setFields(of event: Event) {
        for place in shape.meta { EventMap.meta.set(shape.key(place), text(place), in: event) }
        for place in shape.enriched { EventMap.enriched.set(shape.key(place), text(place), in: event) }
        for place in shape.parsed { EventMap.parsed.set(shape.key(place), text(place), in: event) }
    }

    private func places(_ field: Int) -> Range<Int>? {
        switch field {
        case EventTypes.EventField.meta: shape.meta
        case EventTypes.EventField.enriched: shape.enriched
        case EventTypes.EventField.parsed: shape.parsed
        default: nil
        }
    }

    // MARK: as a value in `queue.Queue`

    var type: ObjectType { EventTypes.event }

    func field(_ index: Int) -> Value {
        typealias Field = EventTypes.EventField
        if let places = places(index) {
            let map = MapValue(missing: .string(.empty))
            for place in places { map.set(shape.table.name(shape.key(place)), .string(text(place))) }
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
        guard places(index) != nil else {
            guard case .map(let map) = field(index) else { return nil }
            return map.find(key)
        }
        guard let number = shape.table.find(String(key)) else { return nil }
        return entry(index, key: key, number: number)
    }

    func entry(_ index: Int, key: ByteSlice, number: FieldKey) -> Value? {
        guard let places = places(index) else { return entry(index, key: key) }
        return find(number, places).map { .string($0) }
    }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        switch method {
        case EventTypes.EventMethod.getType: return .string(arena.copy(kind == .log ? "log" : "overflow"))
        case EventTypes.EventMethod.getMeta:
            guard let key = shape.table.find(String(try arguments.text(0))) else { return .string(.empty) }
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
