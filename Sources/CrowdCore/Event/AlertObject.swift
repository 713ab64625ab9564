/// An alert as expressions see it: `Alert` in profiles, `evt.Overflow.Alert` in postoverflows (engine facts A.3).
///
/// Text is copied into the arena given, which must outlive the evaluation.
public final class AlertObject: ValueObject {
    public let alert: Alert
    let arena: Arena
    /// The source, shared with whoever else refers to it.
    public let source: SourceObject
    private let events: () -> [AlertEvent]

    /// - Parameter events: the alert's events where `alert` does not have them; asked when an expression does.
    public init(
        _ alert: Alert, arena: Arena, source: SourceObject? = nil, events: (() -> [AlertEvent])? = nil
    ) {
        self.alert = alert
        self.events = events ?? { alert.events }
        self.arena = arena
        self.source = source ?? SourceObject(alert.source, arena: arena)
    }

    public var type: ObjectType { EventTypes.alert }

    public func field(_ index: Int) -> Value {
        switch index {
        case 0: .int(Int64(alert.capacity))
        case 1: text(alert.createdAt)
        case 2: objects(alert.decisions ?? []) { DecisionObject($0, arena: arena) }
        case 3: objects(events()) { AlertEventObject($0, arena: arena) }
        case 4: .int(Int64(alert.eventsCount))
        case 5: .int(alert.id)
        case 6: text(alert.kind)
        case 7: .list(ListValue((alert.labels ?? []).map { text($0) }))
        case 8: text(alert.leakspeed)
        case 9: text(alert.machineID)
        case 10: text(alert.message)
        case 11: objects(alert.meta) { MetaItemObject($0, arena: arena) }
        case 12: .bool(alert.remediation)
        case 13: text(alert.scenario)
        case 14: text(alert.scenarioHash)
        case 15: text(alert.scenarioVersion)
        case 16: .bool(alert.simulated)
        case 17: .object(source)
        case 18: text(alert.startAt)
        case 19: text(alert.stopAt)
        case 20: text(alert.uuid)
        default: .null
        }
    }

    public func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        switch method {
        case 0: return source.field(7)
        case 1: return source.field(8)
        case 2: return text(alert.scenario)
        case 3: return .int(Int64(alert.eventsCount))
        case 4: return .string(try alert.meta.first(named: arguments.text(0), arena: arena))
        case 5: return .bool(alert.remediation)
        default: throw ValueError("models.Alert has no method number \(method)")
        }
    }

    private func text(_ text: String) -> Value { .string(arena.copy(text)) }

    private func objects<T>(_ items: [T], _ make: (T) -> any ValueObject) -> Value {
        .list(ListValue(items.map { .object(make($0)) }))
    }
}

/// Where an attack comes from; postoverflows may change its scope and value.
public final class SourceObject: ValueObject {
    public var source: AlertSource
    let arena: Arena

    public init(_ source: AlertSource, arena: Arena) {
        self.source = source
        self.arena = arena
    }

    public var type: ObjectType { EventTypes.source }

    public func field(_ index: Int) -> Value {
        switch index {
        case 0: .string(arena.copy(source.asName))
        case 1: .string(arena.copy(source.asNumber))
        case 2: .string(arena.copy(source.cn))
        case 3: .string(arena.copy(source.ip))
        case 4: .string(arena.copy(source.range))
        case 5: .float(Double(source.latitude))
        case 6: .float(Double(source.longitude))
        case 7: .string(arena.copy(source.scope))
        case 8: .string(arena.copy(source.value))
        default: .null
        }
    }

    public func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        switch method {
        case 0: field(7)
        case 1: field(8)
        case 2: .string(arena.copy(asNumberName))
        case 3: .string(arena.copy(summary))
        default: throw ValueError("models.Source has no method number \(method)")
        }
    }

    private var asNumberName: String {
        let number = source.asNumber == "0" ? "" : source.asNumber
        return source.asName.isEmpty ? number : "\(number) \(source.asName)"
    }

    private var summary: String {
        source.scope.isEmpty || source.value.isEmpty ? "unknown source" : "\(source.scope):\(source.value)"
    }
}

final class AlertEventObject: ValueObject {
    let event: AlertEvent
    let arena: Arena
    init(_ event: AlertEvent, arena: Arena) { (self.event, self.arena) = (event, arena) }
    var type: ObjectType { EventTypes.alertEvent }

    func field(_ index: Int) -> Value {
        switch index {
        case 0: .list(ListValue((event.meta ?? []).map { .object(MetaItemObject($0, arena: arena)) }))
        case 1: .string(arena.copy(event.timestamp))
        default: .null
        }
    }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        .string(try (event.meta ?? []).first(named: arguments.text(0), arena: arena))
    }
}

final class MetaItemObject: ValueObject {
    let item: MetaItem
    let arena: Arena
    init(_ item: MetaItem, arena: Arena) { (self.item, self.arena) = (item, arena) }
    var type: ObjectType { EventTypes.metaItem }
    func field(_ index: Int) -> Value { .string(arena.copy(index == 0 ? item.key : item.value)) }
}

final class DecisionObject: ValueObject {
    let decision: Decision
    let arena: Arena
    init(_ decision: Decision, arena: Arena) { (self.decision, self.arena) = (decision, arena) }
    var type: ObjectType { EventTypes.decision }

    func field(_ index: Int) -> Value {
        switch index {
        case 0: .string(arena.copy(decision.duration))
        case 1: .int(decision.id)
        case 2: .string(arena.copy(decision.origin))
        case 3: .string(arena.copy(decision.scenario))
        case 4: .string(arena.copy(decision.scope))
        case 5: decision.simulated.map { .bool($0) } ?? .null
        case 6: .string(arena.copy(decision.type))
        case 7: .string(arena.copy(decision.uuid))
        case 8: .string(arena.copy(decision.until))
        case 9: .string(arena.copy(decision.value))
        default: .null
        }
    }
}

extension [MetaItem] {
    /// The first value under that name, empty when there is none.
    func first(named name: ByteSlice, arena: Arena) -> ByteSlice {
        let wanted = String(name)
        return first { $0.key == wanted }.map { arena.copy($0.value) } ?? .empty
    }
}
