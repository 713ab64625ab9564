import CrowdCore

/// An alert of the wire as expressions see it (engine facts A.3). Texts are copied into the arena when read.
final class AlertObject: ValueObject {
    let type = EventTypes.alert
    private let alert: Alert
    private let arena: Arena

    init(_ alert: Alert, _ arena: Arena) {
        self.alert = alert
        self.arena = arena
    }

    /// Numbers are those of `EventTypes.alert`.
    func field(_ index: Int) -> Value {
        switch index {
        case 0: .int(Int64(alert.capacity))
        case 1: text(alert.createdAt)
        case 2: .list(ListValue((alert.decisions ?? []).map { .object(DecisionObject($0, arena)) }))
        case 3: .list(ListValue(alert.events.map { .object(AlertEventObject($0, arena)) }))
        case 4: .int(Int64(alert.eventsCount))
        case 5: .int(alert.id)
        case 6: text(alert.kind)
        case 7: .list(ListValue((alert.labels ?? []).map(text)))
        case 8: text(alert.leakspeed)
        case 9: text(alert.machineID)
        case 10: text(alert.message)
        case 11: .list(ListValue(alert.meta.map { .object(MetaObject($0, arena)) }))
        case 12: .bool(alert.remediation)
        case 13: text(alert.scenario)
        case 14: text(alert.scenarioHash)
        case 15: text(alert.scenarioVersion)
        case 16: .bool(alert.simulated)
        case 17: .object(SourceObject(alert.source, arena))
        case 18: text(alert.startAt)
        case 19: text(alert.stopAt)
        case 20: text(alert.uuid)
        default: .null
        }
    }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        switch method {
        case 0: text(alert.source.scope)
        case 1: text(alert.source.value)
        case 2: text(alert.scenario)
        case 3: .int(Int64(alert.eventsCount))
        case 4: text(try alert.meta.first(named: arguments))
        case 5: .bool(alert.remediation)
        default: throw ValueError("\(type.name) has no method number \(method)")
        }
    }

    private func text(_ string: String) -> Value { .string(arena.copy(string)) }
}

/// Whom the alert is about.
final class SourceObject: ValueObject {
    let type = EventTypes.source
    private let source: AlertSource
    private let arena: Arena

    init(_ source: AlertSource, _ arena: Arena) {
        self.source = source
        self.arena = arena
    }

    func field(_ index: Int) -> Value {
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

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        switch method {
        case 0: return .string(arena.copy(source.scope))
        case 1: return .string(arena.copy(source.value))
        case 2:
            let number = source.asNumber == "0" ? "" : source.asNumber
            return .string(arena.copy(source.asName.isEmpty ? number : "\(number) \(source.asName)"))
        case 3: return .string(arena.copy("\(source.scope):\(source.value)"))
        default: throw ValueError("\(type.name) has no method number \(method)")
        }
    }
}

/// One of the events behind the alert.
final class AlertEventObject: ValueObject {
    let type = EventTypes.alertEvent
    private let event: AlertEvent
    private let arena: Arena

    init(_ event: AlertEvent, _ arena: Arena) {
        self.event = event
        self.arena = arena
    }

    func field(_ index: Int) -> Value {
        switch index {
        case 0: .list(ListValue((event.meta ?? []).map { .object(MetaObject($0, arena)) }))
        case 1: .string(arena.copy(event.timestamp))
        default: .null
        }
    }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        guard method == 0 else { throw ValueError("\(type.name) has no method number \(method)") }
        return .string(arena.copy(try (event.meta ?? []).first(named: arguments)))
    }
}

final class MetaObject: ValueObject {
    let type = EventTypes.metaItem
    private let item: MetaItem
    private let arena: Arena

    init(_ item: MetaItem, _ arena: Arena) {
        self.item = item
        self.arena = arena
    }

    func field(_ index: Int) -> Value {
        switch index {
        case 0: .string(arena.copy(item.key))
        case 1: .string(arena.copy(item.value))
        default: .null
        }
    }
}

final class DecisionObject: ValueObject {
    let type = EventTypes.decision
    private let decision: Decision
    private let arena: Arena

    init(_ decision: Decision, _ arena: Arena) {
        self.decision = decision
        self.arena = arena
    }

    func field(_ index: Int) -> Value {
        switch index {
        case 0: .string(arena.copy(decision.duration))
        case 1: .int(decision.id)
        case 2: .string(arena.copy(decision.origin))
        case 3: .string(arena.copy(decision.scenario))
        case 4: .string(arena.copy(decision.scope))
        case 5: .bool(decision.simulated ?? false)
        case 6: .string(arena.copy(decision.type))
        case 7: .string(arena.copy(decision.uuid))
        case 8: .string(arena.copy(decision.until))
        case 9: .string(arena.copy(decision.value))
        default: .null
        }
    }
}

extension [MetaItem] {
    /// `GetMeta(key)`: the first value under the name, or nothing.
    fileprivate func first(named arguments: [Value]) throws(ValueError) -> String {
        guard case .string(let key)? = arguments.first else { throw ValueError("GetMeta wants a string") }
        let name = String(key)
        return first { $0.key == name }?.value ?? ""
    }
}
