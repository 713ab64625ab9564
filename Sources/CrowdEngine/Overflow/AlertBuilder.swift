import CrowdCore
import CrowdExpr

/// Makes the alerts of an overflow: one per source (engine facts E.5).
struct AlertBuilder {
    /// Why an overflow gives no alert; for the log.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private let names: EventKeys
    let encoder: EventEncoder

    init(keys: KeyTable) {
        names = EventKeys(keys)
        encoder = EventEncoder(keys: keys)
    }

    /// Numbers of the fields that alerts are made from.
    struct EventKeys {
        let sourceIP, sourceRange, asNumber, asnNumber, isoCode, asnOrg, latitude, longitude: FieldKey?

        init(_ keys: KeyTable) {
            sourceIP = keys.intern("source_ip")
            sourceRange = keys.intern("SourceRange")
            asNumber = keys.intern("ASNumber")
            asnNumber = keys.intern("ASNNumber")
            isoCode = keys.intern("IsoCode")
            asnOrg = keys.intern("ASNOrg")
            latitude = keys.intern("Latitude")
            longitude = keys.intern("Longitude")
        }
    }

    /// - Parameter uuid: gives each alert its own.
    func build(
        _ bucket: BucketSummary, of scenario: Scenario, machine: Machine, uuid: (AlertSource) -> String
    ) throws(Refusal) -> [RaisedAlert] {
        let sources = try self.sources(bucket.queue, scenario, machine)
        guard let first = sources.first else {
            throw Refusal(description: "no source in the events of '\(scenario.name)'")
        }
        var alert = Alert()
        alert.scenario = scenario.name
        alert.scenarioHash = scenario.hash
        alert.scenarioVersion = scenario.version
        alert.capacity = Int32(truncatingIfNeeded: scenario.config.capacity)
        alert.leakspeed = scenario.leakspeedText
        alert.eventsCount = Int32(truncatingIfNeeded: bucket.total)
        alert.startAt = bucket.first.rfc3339Nano
        alert.stopAt = bucket.overflowed.rfc3339Nano
        alert.simulated = scenario.isSimulated
        alert.remediation = scenario.config.remediates
        alert.kind = "crowdsec"
        alert.message = message(bucket, scenario, sources)
        if sources.count == 1 {
            alert.source = first
            alert.uuid = uuid(first)
            return [RaisedAlert(header: alert, events: bucket.queue, encoder: encoder)]
        }
        return sources.map { source in
            var one = alert
            one.source = source
            one.uuid = uuid(source)
            return RaisedAlert(header: one, events: bucket.queue, encoder: encoder)
        }
    }

    private func message(_ bucket: BucketSummary, _ scenario: Scenario, _ sources: [AlertSource]) -> String {
        let who = sources.count == 1 ? sources[0].value : "\(sources.count) sources"
        let span = bucket.overflowed - bucket.first
        var text = ""
        text.reserveCapacity(200)
        text += sources[0].scope
        text += " "
        text += who
        text += " performed '"
        text += scenario.name
        text += "' ("
        text += String(bucket.total)
        text += " events over "
        text += span.description
        text += ") at "
        text += bucket.last.goString
        return text
    }

    // MARK: sources

    /// In order of first appearance; a later event's source replaces an earlier one's of the same value, so the events
    /// are asked from the last one on and each value only once.
    private func sources(
        _ events: [FrozenEvent], _ scenario: Scenario, _ machine: Machine
    ) throws(Refusal) -> [AlertSource] {
        var sources = SourceCollection()
        var previous: ByteSlice?
        for event in events.reversed() {
            if event.overflow == nil, scenario.config.scopeType == "Ip", let previous,
                let key = names.sourceIP, let text = event.meta(key), text == previous
            {
                continue
            }
            let found: [AlertSource]
            if let overflow = event.overflow {
                found = fromOverflow(overflow, event, scenario, machine).reversed()
            } else {
                found = [try fromLog(event, scenario, machine)]
                previous = names.sourceIP.flatMap { event.meta($0) }
            }
            for source in found { sources.add(source) }
        }
        let found = sources.all
        guard found.allSatisfy({ $0.scope == found[0].scope }) else {
            throw Refusal(description: "events of '\(scenario.name)' have sources of different scopes")
        }
        return found
    }

    private func fromLog(_ event: FrozenEvent, _ scenario: Scenario, _ machine: Machine) throws(Refusal) -> AlertSource
    {
        let scope = scenario.config.scopeType
        guard scope == "Ip" || scope == "Range" else {
            return AlertSource(scope: scope, value: try scopeText(event, scenario, machine) ?? "")
        }
        guard let text = names.sourceIP.flatMap({ event.meta($0) }) else {
            throw Refusal(description: "an event of '\(scenario.name)' has no source_ip")
        }
        guard IPAddress(ascii: text.buffer) != nil else {
            throw Refusal(description: "'\(text)' of '\(scenario.name)' is not an IP address")
        }
        var source = AlertSource(scope: scope, value: String(text), ip: String(text))
        try fill(&source, from: event)
        if scope == "Range" { source.value = try scopeText(event, scenario, machine) ?? source.range }
        return source
    }

    private func fill(_ source: inout AlertSource, from event: FrozenEvent) throws(Refusal) {
        func enriched(_ key: FieldKey?) -> String? { key.flatMap { event.enriched($0) }.map { String($0) } }
        source.asNumber = enriched(names.asNumber) ?? enriched(names.asnNumber) ?? ""
        source.cn = enriched(names.isoCode) ?? ""
        source.asName = enriched(names.asnOrg) ?? ""
        source.latitude = enriched(names.latitude).flatMap { Float($0) } ?? 0
        source.longitude = enriched(names.longitude).flatMap { Float($0) } ?? 0
        guard let range = names.sourceRange.flatMap({ event.meta($0) }), !range.isEmpty else { return }
        guard let parsed = IPRange(String(range)) else {
            throw Refusal(description: "'\(range)' is not a range")
        }
        source.range = parsed.description
    }

    /// What the scope's expression says of an event; nil when there is none.
    private func scopeText(_ event: FrozenEvent, _ scenario: Scenario, _ machine: Machine) throws(Refusal) -> String? {
        guard let program = scenario.scopeExpression else { return nil }
        ThawedEvent.load(event, into: machine.event)
        do {
            guard case .string(let text) = try program.value(on: machine) else { return "" }
            return String(text)
        } catch {
            throw Refusal(description: "scope expression of '\(scenario.name)': \(error.message)")
        }
    }

    private func fromOverflow(
        _ overflow: OverflowObject, _ event: FrozenEvent, _ scenario: Scenario, _ machine: Machine
    ) -> [AlertSource] {
        overflow.sources.compactMap { object in
            let source = object.source
            if source.scope == scenario.config.scopeType { return source }
            guard scenario.config.scopeType == "Range", source.scope == "Ip" else { return nil }
            var widened = source
            widened.scope = "Range"
            widened.value = (try? scopeText(event, scenario, machine)) ?? source.range
            return widened
        }
    }
}

/// Sources by value, as they are met from the last event to the first. Nearly always there is one.
private struct SourceCollection {
    private var first: AlertSource?
    /// Values, that met last at the end; with the first alone it stays empty, and so does `byValue`.
    private var order: [String] = []
    private var byValue: [String: AlertSource] = [:]

    /// In order of first appearance among the events.
    var all: [AlertSource] { order.isEmpty ? first.map { [$0] } ?? [] : order.reversed().compactMap { byValue[$0] } }

    /// Of several with one value the one that was met first stands.
    mutating func add(_ source: AlertSource) {
        guard let first else {
            self.first = source
            return
        }
        if order.isEmpty {
            if source.value == first.value { return }
            order = [first.value]
            byValue[first.value] = first
        }
        order.removeAll { $0 == source.value }
        order.append(source.value)
        if byValue[source.value] == nil { byValue[source.value] = source }
    }
}

/// What is needed of a bucket once it has overflowed.
struct BucketSummary {
    var total: Int
    var first: Timestamp
    var last: Timestamp
    var overflowed: Timestamp
    var queue: [FrozenEvent]
    /// The partition, hashed with the engine's own key.
    var keyHash: UInt64 = 0
    /// Nobody poured: its time was over.
    var hasTimedOut = false
}

/// Puts a kept event back into a live one, for expressions that want `evt`.
enum ThawedEvent {
    /// The live one's texts are the kept one's, which must outlive what is asked of it.
    static func load(_ frozen: FrozenEvent, into event: Event) {
        event.reset()
        event.kind = frozen.kind
        event.time = frozen.time
        event.setMarshaledTime(frozen.marshaledTime)
        if let overflow = frozen.overflow { event.overflow = overflow }
        frozen.setFields(of: event)
        if let extra = frozen.extra {
            event.line.raw = event.arena.copy(extra.raw)
            event.line.source = event.arena.copy(extra.source)
            event.line.module = event.arena.copy(extra.module)
            if case .map(let json) = extra.unmarshaled {
                for (key, value) in zip(json.keys, json.values) { event.unmarshaled.set(key, value) }
            }
        }
    }
}
