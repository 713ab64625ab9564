import CrowdCore

/// An overflow on its way: one alert per source, and the sources by value (engine facts A.3).
///
/// Scope and value of a source are shared between `Sources` and its alert, so that a postoverflow's change shows in
/// both; nothing is shared with the scenario.
final class OverflowObject: ValueObject {
    let alerts: [RaisedAlert]
    /// The key under which each source was found, in the order of the alerts.
    let sourceKeys: [String]
    let sources: [SourceObject]
    let reprocesses: Bool
    var isWhitelisted = false
    private let arena: Arena
    /// What expressions see of each alert, made when the first asks.
    private var shown: [AlertObject?]

    init(_ alerts: [RaisedAlert], reprocesses: Bool) {
        self.alerts = alerts
        self.reprocesses = reprocesses
        let arena = Arena(chunkSize: 4_096)
        self.arena = arena
        shown = Array(repeating: nil, count: alerts.count)
        sourceKeys = alerts.map(\.header.source.value)
        sources = alerts.map { SourceObject($0.header.source, arena: arena) }
    }

    /// The alerts with their sources as postoverflows left them.
    var finished: [RaisedAlert] {
        zip(alerts, sources).map { alert, source in
            var alert = alert
            alert.header.source = source.source
            return alert
        }
    }

    /// `target: evt.Overflow.Alert.Source.X`: the first alert's source.
    func set(_ field: Static.SourceField, _ text: String) {
        guard let source = sources.first else { return }
        switch field {
        case .scope: source.source.scope = text
        case .value: source.source.value = text
        case .ip: source.source.ip = text
        case .range: source.source.range = text
        case .asNumber: source.source.asNumber = text
        case .asName: source.source.asName = text
        case .cn: source.source.cn = text
        }
    }

    var type: ObjectType { EventTypes.overflow }

    func field(_ index: Int) -> Value {
        switch index {
        case 0, 1: .string(.empty)
        case 2: .bool(isWhitelisted)
        case 3: .bool(reprocesses)
        case 4: .map(sourceMap)
        case 5: alert(0)
        case 6: .list(ListValue(alerts.indices.map(alert)))
        default: .null
        }
    }

    private func alert(_ index: Int) -> Value {
        guard index < alerts.count else { return .null }
        if let known = shown[index] { return .object(known) }
        let raised = alerts[index]
        let made = AlertObject(raised.header, arena: arena, source: sources[index]) { raised.shownEvents }
        shown[index] = made
        return .object(made)
    }

    private var sourceMap: MapValue {
        let map = MapValue()
        for (key, source) in zip(sourceKeys, sources) { map.set(arena.copy(key), .object(source)) }
        return map
    }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        .list(ListValue(sourceKeys.map { .string(arena.copy($0)) }))
    }
}
