extension Event: ValueObject {
    public var type: ObjectType { EventTypes.event }

    public func field(_ index: Int) -> Value {
        typealias Field = EventTypes.EventField
        return switch index {
        case Field.type: .int(kind.rawValue)
        case Field.expectMode: .int(isReplay ? 1 : 0)
        case Field.whitelisted: .bool(isWhitelisted)
        case Field.whitelistReason: .string(whitelistReason)
        case Field.stage: .string(stageName)
        case Field.line: .object(LineObject(self))
        case Field.parsed: .map(textMap(parsed))
        case Field.enriched: .map(textMap(enriched))
        case Field.unmarshaled: .map(unmarshaled)
        case Field.overflow: .object(overflow)
        case Field.time: .time(time)
        case Field.strTime: .string(strTime)
        case Field.strTimeFormat: .string(strTimeFormat)
        case Field.marshaledTime: .string(marshaledTime)
        case Field.process: .bool(process)
        case Field.appsec: .object(EmptyObject(EventTypes.appsec))
        case Field.meta: .map(textMap(meta))
        default: .null
        }
    }

    public func entry(_ index: Int, key: ByteSlice) -> Value? {
        typealias Field = EventTypes.EventField
        guard index != Field.unmarshaled else { return unmarshaled.find(key) }
        guard let map = fields(index), let id = keys.find(String(key)) else { return nil }
        return map.find(id).map { .string($0) }
    }

    /// The flat table behind a text map field.
    public func fields(_ index: Int) -> FieldMap? {
        switch index {
        case EventTypes.EventField.parsed: parsed
        case EventTypes.EventField.meta: meta
        case EventTypes.EventField.enriched: enriched
        default: nil
        }
    }

    /// A copy of a flat table as a map value, with its keys.
    public func textMap(_ map: FieldMap) -> MapValue {
        let value = MapValue(missing: .string(.empty))
        let names = keys.names
        for key in map.keys { value.set(names[key], .string(map[key])) }
        return value
    }

    public func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        typealias Method = EventTypes.EventMethod
        switch method {
        case Method.getType:
            return .string(kind == .log ? "log" : kind == .overflow ? "overflow" : "unknown")
        case Method.getMeta: return .string(try metaValue(arguments.text(0)))
        case Method.setMeta: return .bool(try set(meta, arguments))
        case Method.setParsed: return .bool(try set(parsed, arguments))
        case Method.parseIPSources: return .list(ListValue(sources.map { .string(arena.copy($0)) }))
        default: throw ValueError("pipeline.Event has no method number \(method)")
        }
    }

    private func metaValue(_ name: ByteSlice) throws(ValueError) -> ByteSlice {
        if kind == .log { return keys.find(String(name)).map { meta[$0] } ?? .empty }
        guard case .list(let alerts) = overflow.field(6) else { return .empty }
        for case .object(let alert) in alerts.items {
            guard case .list(let events) = alert.field(3) else { continue }
            for case .object(let event) in events.items {
                guard case .string(let text) = try event.call(0, [.string(name)], arena: arena) else { continue }
                if !text.isEmpty { return text }
            }
        }
        return .empty
    }

    private func set(_ map: FieldMap, _ arguments: [Value]) throws(ValueError) -> Bool {
        let (name, text) = (try arguments.text(0), try arguments.text(1))
        guard let key = keys.intern(String(name)) else { throw ValueError("too many field names") }
        map.set(key, arena.copy(text))
        return true
    }

    private var sources: [String] {
        if kind == .overflow {
            guard case .list(let list)? = try? overflow.call(0, [], arena: arena) else { return [] }
            return list.items.compactMap { if case .string(let text) = $0 { String(text) } else { nil } }
        }
        guard let key = keys.find("source_ip"), let address = meta.find(key) else { return [] }
        return [String(address)]
    }
}

extension [Value] {
    /// The text argument number `index`.
    public func text(_ index: Int) throws(ValueError) -> ByteSlice {
        guard index < count, case .string(let text) = self[index] else {
            throw ValueError(
                "argument \(index + 1) must be a string, not \(index < count ? self[index].kind : "absent")")
        }
        return text
    }
}

extension Value {
    /// The text of a literal of the program.
    static func string(_ literal: StaticString) -> Value { .string(ByteSlice(literal)) }
}

/// `evt.Line` as a value.
final class LineObject: ValueObject {
    let event: Event
    init(_ event: Event) { self.event = event }
    var type: ObjectType { EventTypes.line }

    func field(_ index: Int) -> Value {
        typealias Field = EventTypes.LineField
        switch index {
        case Field.raw: return .string(event.line.raw)
        case Field.source: return .string(event.line.source)
        case Field.time: return .time(event.line.time)
        case Field.labels:
            let map = MapValue(missing: .string(.empty))
            for entry in event.line.labels.entries { map.set(entry.name, .string(entry.value)) }
            return .map(map)
        case Field.process: return .bool(true)
        case Field.module: return .string(event.line.module)
        default: return .null
        }
    }
}
