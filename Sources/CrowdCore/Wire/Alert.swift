/// What an agent reports and the Local API keeps (protocol facts A.4).
public struct Alert: Sendable, Equatable {
    /// Zero until the Local API has stored it.
    public var id: Int64 = 0
    /// RFC 4122 version 4; agents of this suite send it, so that an alert sent twice is stored once.
    public var uuid = ""
    /// Filled by the Local API from the caller's token; `N/A` when the machine is gone.
    public var machineID = ""
    /// RFC 3339, whole seconds.
    public var createdAt = ""
    public var scenario = ""
    /// SHA-256 of the scenario file in hexadecimal; empty for one's own scenarios.
    public var scenarioHash = ""
    /// Empty or `?` when the scenario was changed locally.
    public var scenarioVersion = ""
    public var message = ""
    public var eventsCount: Int32 = 0
    /// RFC 3339.
    public var startAt = ""
    public var stopAt = ""
    public var capacity: Int32 = 0
    /// A Go duration or empty.
    public var leakspeed = ""
    public var simulated = false
    public var remediation = false
    public var events: [AlertEvent] = []
    public var source = AlertSource()
    /// nil is `null`.
    public var decisions: [Decision]?
    /// The alert's context.
    public var meta: [MetaItem] = []
    /// Accepted, never stored, always answered as `null`.
    public var labels: [String]?
    /// `crowdsec`, `waf`, `cscli`, ...
    public var kind = ""

    /// Events, decisions and items of context in one request: fifty megabytes of real ones have fewer, of `{}` many times as
    /// many.
    static let mostElements = 2_000_000

    public init() {}

    public init(from reader: inout JSONReader) throws(WireError) { self = try Self.checked(&reader) }

    /// Reads a whole text that is an array of alerts, or `null`; missing members are named with the alert's index.
    ///
    /// Answers of a Local API are read with `strict` false: they say `null` where a request must have a list.
    public static func list(from bytes: UnsafeBufferPointer<UInt8>, strict: Bool = true) throws(WireError) -> [Alert] {
        var missing = MissingMembers()
        if !strict { missing.most = .max }
        let alerts: [Alert]
        do {
            var reader = JSONReader(bytes, maxElements: strict ? mostElements : .max)
            alerts = try reader.null() ? [] : try list(&reader, missing: &missing, under: nil)
            try reader.finish()
        } catch {
            throw .malformed(error)
        }
        guard missing.paths.isEmpty || !strict else { throw .missing(missing.paths) }
        return alerts
    }

    public static func list(from bytes: [UInt8], strict: Bool = true) throws(WireError) -> [Alert] {
        try bytes.withUnsafeBufferPointer { buffer throws(WireError) in try list(from: buffer, strict: strict) }
    }
}

extension Alert {
    /// - Parameter nullForNoEvents: answers of the Local API print an empty event list as `null`.
    public func write(to writer: inout JSONWriter, nullForNoEvents: Bool = false) {
        write(to: &writer) { writer in
            if events.isEmpty && nullForNoEvents { return writer.null() }
            writer.beginArray()
            for event in events { event.write(to: &writer) }
            writer.endArray()
        }
    }

    /// Writes the alert with events that the caller writes, as one value.
    public func write(to writer: inout JSONWriter, events writeEvents: (inout JSONWriter) -> Void) {
        writer.beginObject()
        writer.member("capacity", capacity)
        if !createdAt.isEmpty { writer.member("created_at", createdAt) }
        writeDecisions(to: &writer)
        writer.key("events")
        writeEvents(&writer)
        writer.member("events_count", eventsCount)
        if id != 0 { writer.member("id", id) }
        if !kind.isEmpty { writer.member("kind", kind) }
        writeLabels(to: &writer)
        writer.member("leakspeed", leakspeed)
        if !machineID.isEmpty { writer.member("machine_id", machineID) }
        writer.member("message", message)
        if !meta.isEmpty { writer.member("meta", meta) }
        if remediation { writer.member("remediation", true) }
        writer.member("scenario", scenario)
        writer.member("scenario_hash", scenarioHash)
        writer.member("scenario_version", scenarioVersion)
        writer.member("simulated", simulated)
        writer.key("source")
        source.write(to: &writer)
        writer.member("start_at", startAt)
        writer.member("stop_at", stopAt)
        if !uuid.isEmpty { writer.member("uuid", uuid) }
        writer.endObject()
    }

    private func writeDecisions(to writer: inout JSONWriter) {
        writer.key("decisions")
        guard let decisions else { return writer.null() }
        writer.beginArray()
        for decision in decisions { decision.write(to: &writer) }
        writer.endArray()
    }

    private func writeLabels(to writer: inout JSONWriter) {
        guard let labels else {
            writer.key("labels")
            return writer.null()
        }
        writer.member("labels", labels)
    }
}
