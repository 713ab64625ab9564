import CrowdCore
import CrowdExpr

extension FrozenEvent {
    /// Keys are written by number: the snapshot begins with their names.
    func write(to writer: inout ByteWriter) {
        writer.byte(UInt8(truncatingIfNeeded: kind.rawValue))
        writer.time(time)
        writer.text(marshaledTime)
        let counts = shape.counts
        for count in [counts.meta, counts.enriched, counts.parsed] { writer.number(UInt32(count)) }
        for (place, key) in shape.keys.enumerated() {
            writer.number(key)
            writer.text(text(place))
        }
        writer.bool(extra != nil)
        if let extra {
            writer.text((try? ValueJSON.text(extra.unmarshaled)) ?? "{}")
            for text in [extra.raw, extra.source, extra.module] { writer.text(text) }
        }
        writer.bool(overflow != nil)
        overflow?.write(to: &writer)
    }

    /// - Parameter keyMap: for each number of the snapshot, the key's number now.
    static func read(
        _ reader: inout ByteReader, shapes: FrozenShapes, keyMap: [FieldKey], encoder: EventEncoder
    ) throws(DamagedBytes) -> FrozenEvent {
        guard let kind = Event.Kind(rawValue: Int64(try reader.byte())) else { throw reader.damage }
        let (time, marshaled) = (try reader.time(), try reader.text())
        let counts = (meta: try reader.count(), enriched: try reader.count(), parsed: try reader.count())
        var (keys, texts): ([FieldKey], [ByteSlice]) = ([], [])
        for _ in 0..<(counts.meta + counts.enriched + counts.parsed) {
            let key = Int(try reader.number(UInt16.self))
            guard key < keyMap.count else { throw reader.damage }
            keys.append(keyMap[key])
            texts.append(try reader.text())
        }
        var extra: Extra?
        if try reader.bool() {
            extra = Extra(
                json: try reader.text(), raw: try reader.text(), source: try reader.text(), module: try reader.text())
        }
        let overflow = try reader.bool() ? try OverflowObject.read(&reader, encoder: encoder) : nil
        let shape = shapes.shape(keys, counts)
        return (texts + [marshaled]).withUnsafeBufferPointer { make(shape, kind, time, .of(overflow, extra), $0) }
    }
}

extension OverflowObject {
    /// Its alerts as the Local API takes them.
    func write(to writer: inout ByteWriter) {
        var json = JSONWriter(capacity: 4_096)
        json.beginArray()
        for alert in finished { alert.write(to: &json) }
        json.endArray()
        writer.text(json.bytes)
    }

    static func read(_ reader: inout ByteReader, encoder: EventEncoder) throws(DamagedBytes) -> OverflowObject {
        guard let alerts = try? Alert.list(from: try reader.text().buffer, strict: false) else { throw reader.damage }
        return OverflowObject(alerts.map { RaisedAlert(whole: $0, encoder: encoder) }, reprocesses: false)
    }
}
