/// What to do about a value (ban it, show a captcha), for how long and why (protocol facts A.4).
public struct Decision: Sendable, Equatable {
    /// Zero until the Local API has stored it.
    public var id: Int64 = 0
    public var uuid = ""
    /// Who decided: `crowdsec`, `cscli`, `CAPI`, `lists`, ...
    public var origin = ""
    /// `ban`, `captcha` or any word the bouncers agreed on; case sensitive.
    public var type = ""
    public var scope = ""
    public var value = ""
    public var scenario = ""
    /// A Go duration, relative to the moment of the answer; negative once expired.
    public var duration = ""
    /// RFC 3339; only some requests carry it.
    public var until = ""
    /// nil leaves the key out.
    public var simulated: Bool?

    public init() {}

    public init(
        origin: String, type: String, scope: String, value: String, scenario: String, duration: String
    ) {
        self.origin = origin
        self.type = type
        self.scope = scope
        self.value = value
        self.scenario = scenario
        self.duration = duration
    }

    public init(from reader: inout JSONReader) throws(WireError) { self = try Self.checked(&reader) }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("duration")
        writer.string(duration)
        if id != 0 { writer.member("id", id) }
        writer.member("origin", origin)
        writer.member("scenario", scenario)
        writer.member("scope", scope)
        if let simulated { writer.member("simulated", simulated) }
        writer.member("type", type)
        if !until.isEmpty { writer.member("until", until) }
        if !uuid.isEmpty { writer.member("uuid", uuid) }
        writer.member("value", value)
        writer.endObject()
    }
}

extension Decision: WireModel {
    init(from reader: inout JSONReader, missing: inout MissingMembers) throws(JSONError) {
        var seen: (origin: Bool, type: Bool, scope: Bool, value: Bool, scenario: Bool, duration: Bool)
        seen = (false, false, false, false, false, false)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if try reader.null() { continue }
            switch key {
            case "id": id = try reader.int64()
            case "uuid": uuid = try reader.string()
            case "origin": (origin, seen.origin) = (try reader.string(), true)
            case "type": (type, seen.type) = (try reader.string(), true)
            case "scope": (scope, seen.scope) = (try reader.string(), true)
            case "value": (value, seen.value) = (try reader.string(), true)
            case "scenario": (scenario, seen.scenario) = (try reader.string(), true)
            case "duration": (duration, seen.duration) = (try reader.string(), true)
            case "until": until = try reader.string()
            case "simulated": simulated = try reader.bool()
            default: try reader.skip()
            }
        }
        missing.require(seen.duration, "duration")
        missing.require(seen.origin, "origin")
        missing.require(seen.scenario, "scenario")
        missing.require(seen.scope, "scope")
        missing.require(seen.type, "type")
        missing.require(seen.value, "value")
    }
}
