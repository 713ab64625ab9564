/// One name and value of an event or of an alert's context.
public struct MetaItem: Sendable, Hashable {
    public var key: String
    public var value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("key", key)
        writer.member("value", value)
        writer.endObject()
    }
}

extension MetaItem: WireModel {
    init(from reader: inout JSONReader, missing: inout MissingMembers) throws(JSONError) {
        (key, value) = ("", "")
        try reader.beginObject()
        while let name = try reader.nextKey() {
            if try reader.null() { continue }
            switch name {
            case "key": key = try reader.string()
            case "value": value = try reader.string()
            default: try reader.skip()
            }
        }
    }

    /// Reads a whole list, as the `events.serialized` column holds it.
    public static func list(from bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> [MetaItem] {
        var reader = JSONReader(bytes)
        var missing = MissingMembers()
        return try list(&reader, missing: &missing, under: nil)
    }
}

/// One of the log events behind an alert.
public struct AlertEvent: Sendable, Equatable {
    /// RFC 3339 in requests; answers print Go's form, `2026-11-21 08:17:29 +0000 UTC`.
    public var timestamp: String
    /// nil where the stored text could not be read back: answered as `null`.
    public var meta: [MetaItem]?

    public init(timestamp: String, meta: [MetaItem]?) {
        self.timestamp = timestamp
        self.meta = meta
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        if let meta {
            writer.member("meta", meta)
        } else {
            writer.key("meta")
            writer.null()
        }
        writer.member("timestamp", timestamp)
        writer.endObject()
    }
}

extension AlertEvent: WireModel {
    init(from reader: inout JSONReader, missing: inout MissingMembers) throws(JSONError) {
        var hasTimestamp = false
        (timestamp, meta) = ("", nil)
        try reader.beginObject()
        while let name = try reader.nextKey() {
            if try reader.null() { continue }
            switch name {
            case "timestamp": (timestamp, hasTimestamp) = (try reader.string(), true)
            case "meta": meta = try MetaItem.list(&reader, missing: &missing, under: "meta")
            default: try reader.skip()
            }
        }
        missing.require(meta != nil, "meta")
        missing.require(hasTimestamp, "timestamp")
    }
}
