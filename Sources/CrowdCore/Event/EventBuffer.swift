/// Parsed log events side by side, with their bytes: what a parsing thread hands to the one that pours.
///
/// An event is written down as a row of entries, 16 bytes each, and read back into another event that knows the same
/// keys. Texts are not copied: the bytes come along, but for those of the raw line and of its origin, which the owner
/// of the buffer keeps. No allocation once it has its size. Used by one thread at a time.
public final class EventBuffer {
    struct Entry {
        var base: UnsafePointer<UInt8>
        var count: UInt32
        var key: UInt32
    }

    private struct Record {
        var line: Event.Line
        var ordinal: Int
        var counts: (parsed: Int, meta: Int, enriched: Int)
        var isReplay: Bool
        var process: Bool
        var stage: Int
        var time: Timestamp
        var strTime: ByteSlice
        var strTimeFormat: ByteSlice
        var marshaledTime: ByteSlice
        var marshaledInstant: Timestamp?
        var parsedDate: (text: ByteSlice, instant: Timestamp)?
        /// nil where the event has no JSON.
        var unmarshaled: MapValue?
    }

    private let arena = Arena()
    private var records: [Record] = []
    private var entries: [Entry] = []
    /// Where the entries of the next event to be read back begin.
    private var cursor = 0

    public init() {}

    public var count: Int { records.count }

    /// Empty, but for the memory.
    public func removeAll() {
        records.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        arena.reset()
        cursor = 0
    }

    /// Writes the event down. `ordinal` is the line's place in its batch.
    public func append(_ event: Event, ordinal: Int) {
        event.parsed.append(to: &entries)
        event.meta.append(to: &entries)
        event.enriched.append(to: &entries)
        var unmarshaled: MapValue?
        if event.unmarshaled.count > 0 {
            let map = MapValue()
            map.exchange(with: event.unmarshaled)
            unmarshaled = map
        }
        records.append(
            Record(
                line: event.line, ordinal: ordinal,
                counts: (event.parsed.count, event.meta.count, event.enriched.count), isReplay: event.isReplay,
                process: event.process, stage: event.stage, time: event.time, strTime: event.strTime,
                strTimeFormat: event.strTimeFormat, marshaledTime: event.marshaledTime,
                marshaledInstant: event.marshaledInstant, parsedDate: event.parsedDate, unmarshaled: unmarshaled))
    }

    /// Takes the bytes of all events written down from the event they were parsed in.
    public func takeTexts(of event: Event) { arena.exchange(with: event.arena) }

    /// Makes `event` each of the events in turn, in the order they were written down; once.
    public func withEach(in event: Event, _ body: (_ ordinal: Int) -> Void) {
        for index in records.indices {
            event.reset()
            read(records[index], into: event)
            body(records[index].ordinal)
        }
    }

    private func read(_ record: Record, into event: Event) {
        event.line = record.line
        event.isReplay = record.isReplay
        event.process = record.process
        event.stage = record.stage
        event.time = record.time
        event.strTime = record.strTime
        event.strTimeFormat = record.strTimeFormat
        event.setMarshaledTime(record.marshaledTime, instant: record.marshaledInstant)
        event.parsedDate = record.parsedDate
        fill(event.parsed, record.counts.parsed)
        fill(event.meta, record.counts.meta)
        fill(event.enriched, record.counts.enriched)
        if let map = record.unmarshaled { event.unmarshaled.exchange(with: map) }
    }

    private func fill(_ map: FieldMap, _ count: Int) {
        for entry in entries[cursor..<(cursor + count)] {
            map.set(FieldKey(entry.key), ByteSlice(base: entry.base, count: Int(entry.count)))
        }
        cursor += count
    }
}
