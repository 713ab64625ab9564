/// What passes through parsers and scenarios: one log line with what was found out about it, or an overflow
/// (engine facts A.1).
///
/// A worker owns one and uses it again for line after line. All text lives in `arena` or is immortal; `reset` takes it
/// back. Whatever outlives the line (a bucket's queue, an alert) copies what it needs.
public final class Event {
    public enum Kind: Int64, Sendable {
        case log = 0
        case overflow = 1
        case appsec = 2
    }

    public let arena: Arena
    public let keys: KeyTable
    /// Which line it is about: a slice of another generation may lie where one of this lies and be another text.
    public private(set) var generation: UInt64 = 1
    public var kind = Kind.log
    /// The event's time is the log's own (a replay), not the clock's.
    public var isReplay = false
    public var isWhitelisted = false
    public var whitelistReason = ByteSlice.empty
    /// The stage it is in, by number; `stages` gives the name.
    public var stage = 0
    public var stages: [ByteSlice] = []
    public var line = Line()
    public let parsed: FieldMap
    public let meta: FieldMap
    public let enriched: FieldMap
    /// JSON and key-value output. Never nil: expressions write into it.
    public let unmarshaled = MapValue()
    public var overflow: any ValueObject = EmptyObject.overflow {
        didSet { hasOverflow = true }
    }
    private var hasOverflow = false
    public var time = Timestamp(nanoseconds: 0)
    public var strTime = ByteSlice.empty
    public var strTimeFormat = ByteSlice.empty
    public var marshaledTime = ByteSlice.empty
    /// What `marshaledTime` says, when a parser of ours wrote it; saves reading the text back.
    public var marshaledInstant: Timestamp?
    /// The date that `ParseDate` last found in the event: its text and the instant, so that nobody reads it again.
    public var parsedDate: (text: ByteSlice, instant: Timestamp)?
    /// It passed all stages.
    public var process = false
    public let memories = EnricherMemories()
    private var lastAddress = AddressOfText()

    /// How the line came in (engine facts A.2).
    public struct Line {
        public var raw = ByteSlice.empty
        public var source = ByteSlice.empty
        public var time = Timestamp(nanoseconds: 0)
        public var labels = LineLabels.none {
            didSet { place = .passUnretained(labels) }
        }
        public var module = ByteSlice.empty
        /// Of the labels, which are asked for in every line: without counting.
        @usableFromInline var place = Unmanaged.passUnretained(LineLabels.none)
        public init() {}

        /// The label's value, empty when there is none.
        @inlinable @inline(__always)
        public func label(_ name: ByteSlice) -> ByteSlice { place._withUnsafeGuaranteedRef { $0[name] } }
    }

    public init(keys: KeyTable) {
        self.keys = keys
        arena = Arena()
        parsed = FieldMap(capacity: keys.count)
        meta = FieldMap(capacity: keys.count)
        enriched = FieldMap(capacity: keys.count)
    }

    /// An empty log event again. O(1) but for what a large line had allocated.
    public func reset() {
        arena.reset()
        clear()
    }

    /// The same, with the texts of earlier lines left where they are.
    public func clear() {
        generation &+= 1
        kind = .log
        isReplay = false
        isWhitelisted = false
        whitelistReason = .empty
        stage = 0
        parsed.removeAll()
        meta.removeAll()
        enriched.removeAll()
        if unmarshaled.count > 0 { unmarshaled.removeAll() }
        if hasOverflow {
            overflow = EmptyObject.overflow
            hasOverflow = false
        }
        time = Timestamp(nanoseconds: 0)
        strTime = .empty
        strTimeFormat = .empty
        setMarshaledTime(.empty)
        parsedDate = nil
        process = false
    }

    public func setMarshaledTime(_ text: ByteSlice, instant: Timestamp? = nil) {
        marshaledTime = text
        marshaledInstant = instant
    }

    /// The log's own time as an instant: nil when no parser found one.
    public var instant: Timestamp? {
        if let marshaledInstant { return marshaledInstant }
        return Timestamp(rfc3339Bytes: marshaledTime.buffer)
    }

    /// The address that a text is. Many ask about the same one, so what was read last is remembered.
    ///
    /// - Parameter text: in this event's memory, where nothing else comes to lie before the next event.
    public func address(in text: ByteSlice) -> IPAddress? {
        if lastAddress.base != text.base || lastAddress.count != text.count || lastAddress.generation != generation {
            lastAddress = AddressOfText(
                base: text.base, count: text.count, generation: generation, address: IPAddress(ascii: text.buffer))
        }
        return lastAddress.address
    }

    private struct AddressOfText {
        var base = ByteSlice.empty.base
        var count = 0
        /// 0 is no event's.
        var generation: UInt64 = 0
        var address: IPAddress?
    }

    public var stageName: ByteSlice { stage < stages.count ? stages[stage] : .empty }
}

/// The labels of an acquisition, `type` among them; made once per data source and shared by its lines.
public final class LineLabels: Sendable {
    public let entries: [(name: ByteSlice, value: ByteSlice)]

    public init(_ labels: [(String, String)]) {
        entries = labels.map { (Immortal.copy($0), Immortal.copy($1)) }
    }

    public static let none = LineLabels([])

    public subscript(_ name: ByteSlice) -> ByteSlice {
        for entry in entries where entry.name == name { return entry.value }
        return .empty
    }
}

/// The zero value of a structure: empty fields, no methods. `evt.Overflow` of a log line is one.
public final class EmptyObject: ValueObject, Sendable {
    public let type: ObjectType
    public init(_ type: ObjectType) { self.type = type }
    public static let overflow = EmptyObject(EventTypes.overflow)

    public func field(_ index: Int) -> Value {
        EventTypes.zero(of: type.fieldType(index))
    }
}
