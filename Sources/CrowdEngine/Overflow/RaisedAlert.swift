public import CrowdCore

/// An alert as an overflow gives it: its events are still those that the bucket kept, and become text once, where the
/// alert is encoded or looked at.
public struct RaisedAlert {
    /// Everything but the events.
    public var header: Alert
    let events: [FrozenEvent]
    let encoder: EventEncoder

    init(header: Alert, events: [FrozenEvent], encoder: EventEncoder) {
        self.header = header
        self.events = events
        self.encoder = encoder
    }

    /// One that was written down: its events are those of `whole`.
    init(whole: Alert, encoder: EventEncoder) {
        self.init(header: whole, events: [], encoder: encoder)
    }

    /// The whole alert, for whoever looks at single events.
    public var alert: Alert {
        var alert = header
        alert.events = shownEvents
        return alert
    }

    var shownEvents: [AlertEvent] { events.isEmpty ? header.events : events.map(encoder.event) }

    /// Appends the alert as the Local API takes it. Without a String for any of its events.
    public func write(to writer: inout JSONWriter) {
        guard !events.isEmpty else { return header.write(to: &writer) }
        header.write(to: &writer) { writer in
            writer.beginArray()
            for event in events { encoder.write(event, to: &writer) }
            writer.endArray()
        }
    }
}

/// Shows kept events as alerts do: Meta by name, and the time. One worker's own.
///
/// Events of one scenario nearly always have the same fields, so the order of their names is worked out once and kept
/// until an event with others comes.
final class EventEncoder {
    private let keys: KeyTable
    /// `{"key":"name","value":` of each field, by key; made at first use.
    private var fragments: [[UInt8]] = []
    private var lastShape: FrozenShape?
    /// Places of Meta's fields, by name.
    private var order: [Int] = []

    init(keys: KeyTable) { self.keys = keys }

    func event(_ event: FrozenEvent) -> AlertEvent {
        sort(event)
        let meta = order.map { place in
            MetaItem(key: String(keys.name(event.shape.key(place))), value: String(event.text(place)))
        }
        let timestamp = event.marshaledTime.isEmpty ? event.time.rfc3339Nano : String(event.marshaledTime)
        return AlertEvent(timestamp: timestamp, meta: meta)
    }

    func write(_ event: FrozenEvent, to writer: inout JSONWriter) {
        sort(event)
        writer.beginObject()
        writer.key("meta")
        writer.beginArray()
        for place in order {
            writer.raw(prefix: fragments[event.shape.key(place)])
            writer.string(bytes: event.text(place).buffer)
            writer.endObject()
        }
        writer.endArray()
        writer.key("timestamp")
        if event.marshaledTime.isEmpty {
            writer.string(event.time.rfc3339Nano)
        } else {
            writer.string(bytes: event.marshaledTime.buffer)
        }
        writer.endObject()
    }

    private func sort(_ event: FrozenEvent) {
        let shape = event.shape
        if shape === lastShape { return }
        lastShape = shape
        for place in shape.meta { prepareFragment(shape.key(place)) }
        order = shape.meta.sorted { keys.name(shape.key($0)) < keys.name(shape.key($1)) }
    }

    private func prepareFragment(_ key: FieldKey) {
        while fragments.count <= key { fragments.append([]) }
        guard fragments[key].isEmpty else { return }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("key")
        writer.string(bytes: keys.name(key).buffer)
        writer.key("value")
        fragments[key] = writer.bytes
    }
}
