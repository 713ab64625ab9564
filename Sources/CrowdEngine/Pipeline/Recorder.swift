public import CrowdCore

/// Keeps what every node did to every event, what scenarios took, and every overflow: for hub tests, explanations and
/// dumps (engine facts G.3).
///
/// It sees the very engine that runs live; nothing is recomputed.
public final class Recorder: NodeObserver {
    /// One node's turn with one event.
    public struct NodeResult {
        public let stage: String
        public let node: String
        public let succeeded: Bool
        public let event: EventDump
        /// Number of the line, from 0.
        public let line: Int
    }

    public private(set) var results: [NodeResult] = []
    /// Overflows with an alert, after postoverflows; whitelisted ones too.
    public private(set) var overflows: [EventDump] = []
    /// Events that a scenario's filter let through, by its name; under `OK` all that were offered to scenarios.
    public private(set) var pours: [String: [EventDump]] = [:]
    /// More happened than is kept: what is kept is not the whole.
    public private(set) var isFull = false
    /// The most events kept, of about 8 KB each.
    private let limit: Int
    private var kept = 0
    var line = 0

    public init(limit: Int = 1_000_000) { self.limit = limit }

    func ran(_ node: Node, stage: ByteSlice, succeeded: Bool, event: Event) {
        guard let dump = dump(event) else { return }
        results.append(
            NodeResult(stage: String(stage), node: node.name, succeeded: succeeded, event: dump, line: line))
    }

    func overflowed(_ event: Event) {
        if let dump = dump(event) { overflows.append(dump) }
    }

    func offered(_ event: Event) { poured(event, into: "OK") }

    func poured(_ event: Event, into scenario: String) {
        if let dump = dump(event) { pours[scenario, default: []].append(dump) }
    }

    private func dump(_ event: Event) -> EventDump? {
        guard kept < limit else {
            isFull = true
            return nil
        }
        kept += 1
        return EventDump(event, line: line)
    }
}

/// A deep copy of an event as expressions see it.
public final class EventDump: ValueObject {
    private let arena = Arena(chunkSize: 2_048)
    private var fields: [Int: Value] = [:]
    public let isWhitelisted: Bool

    init(_ event: Event, line: Int) {
        isWhitelisted = event.isWhitelisted
        for index in 0...EventTypes.EventField.meta where index != EventTypes.EventField.line {
            fields[index] = event.field(index).copied(into: arena)
        }
        fields[EventTypes.EventField.line] = .object(LineDump(event, arena, number: line))
    }

    public var type: ObjectType { EventTypes.event }
    public func field(_ index: Int) -> Value { fields[index] ?? .null }

    public func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        switch method {
        case EventTypes.EventMethod.getType:
            guard case .int(let kind) = field(EventTypes.EventField.type) else { return .null }
            return .string(arena.copy(kind == 0 ? "log" : "overflow"))
        case EventTypes.EventMethod.getMeta:
            return entry(EventTypes.EventField.meta, key: try arguments.text(0)) ?? .string(.empty)
        default: throw ValueError("a recorded event cannot be changed")
        }
    }

    /// A text map of the event, by name, in order of setting.
    public func texts(_ index: Int) -> [(name: String, value: String)] {
        guard case .map(let map) = field(index) else { return [] }
        return zip(map.keys, map.values).compactMap { key, value in
            if case .string(let text) = value { (String(key), String(text)) } else { nil }
        }
    }
}

/// `Line` of a recorded event.
private final class LineDump: ValueObject {
    private var fields: [Int: Value] = [:]
    /// - Parameter number: of the line. Readers tell lines apart by their times, so no two have the same.
    init(_ event: Event, _ arena: Arena, number: Int) {
        typealias Field = EventTypes.LineField
        fields[Field.raw] = .string(arena.copy(event.line.raw))
        fields[Field.source] = .string(arena.copy(event.line.source))
        fields[Field.time] = .time(event.line.time + GoDuration(nanoseconds: Int64(number)))
        fields[Field.module] = .string(arena.copy(event.line.module))
        fields[Field.process] = .bool(true)
        let labels = MapValue(missing: .string(.empty))
        for entry in event.line.labels.entries { labels.set(arena.copy(entry.name), .string(arena.copy(entry.value))) }
        fields[Field.labels] = .map(labels)
    }
    var type: ObjectType { EventTypes.line }
    func field(_ index: Int) -> Value { fields[index] ?? .null }
}
