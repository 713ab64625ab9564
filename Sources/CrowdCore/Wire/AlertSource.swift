/// Whom an alert is about (protocol facts A.4).
public struct AlertSource: Sendable, Equatable {
    /// `Ip`, `Range`, `Country`, `AS`, or a name of the scenario's own (`username`).
    public var scope = ""
    public var value = ""
    public var ip = ""
    public var range = ""
    public var asNumber = ""
    public var asName = ""
    /// ISO country code.
    public var cn = ""
    public var latitude: Float = 0
    public var longitude: Float = 0

    public init() {}

    public init(scope: String, value: String, ip: String = "", range: String = "") {
        self.scope = scope
        self.value = value
        self.ip = ip
        self.range = range
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        if !asName.isEmpty { writer.member("as_name", asName) }
        if !asNumber.isEmpty { writer.member("as_number", asNumber) }
        if !cn.isEmpty { writer.member("cn", cn) }
        if !ip.isEmpty { writer.member("ip", ip) }
        if latitude != 0 { writeNumber("latitude", latitude, to: &writer) }
        if longitude != 0 { writeNumber("longitude", longitude, to: &writer) }
        if !range.isEmpty { writer.member("range", range) }
        writer.member("scope", scope)
        writer.member("value", value)
        writer.endObject()
    }

    /// A 32-bit number printed as its shortest text (48.8566, not 48.85660171508789).
    private func writeNumber(_ name: StaticString, _ number: Float, to writer: inout JSONWriter) {
        guard number.isFinite else { return }
        writer.key(name)
        writer.raw(number.description.utf8)
    }
}

extension AlertSource: WireModel {
    init(from reader: inout JSONReader, missing: inout MissingMembers) throws(JSONError) {
        var (hasScope, hasValue) = (false, false)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if try reader.null() { continue }
            switch key {
            case "scope": (scope, hasScope) = (try reader.string(), true)
            case "value": (value, hasValue) = (try reader.string(), true)
            case "ip": ip = try reader.string()
            case "range": range = try reader.string()
            case "as_number": asNumber = try reader.string()
            case "as_name": asName = try reader.string()
            case "cn": cn = try reader.string()
            case "latitude": latitude = try reader.float()
            case "longitude": longitude = try reader.float()
            default: try reader.skip()
            }
        }
        missing.require(hasScope, "scope")
        missing.require(hasValue, "value")
    }
}
