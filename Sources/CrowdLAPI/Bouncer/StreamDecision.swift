public import CrowdCore

/// A decision as the stream tells it: only what a bouncer acts on.
public struct StreamDecision: Equatable, Sendable {
    public var origin = ""
    /// As sent; compare without case (protocol facts, trap 18).
    public var type = ""
    public var scope = ""
    public var value = ""
    public var scenario = ""
    /// As sent: a Go duration from now, zero or negative when over.
    public var duration = ""

    public init() {}

    /// Reads one object. Null and missing members are empty strings: a decision that lacks something is the consumer's
    /// to skip, never a reason to lose the others.
    public init(from reader: inout JSONReader) throws(JSONError) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard try reader.peek() == .string else {
                try reader.skip()
                continue
            }
            switch key {
            case "origin": origin = try reader.string()
            case "type": type = try reader.string()
            case "scope": scope = try reader.string()
            case "value": value = try reader.string()
            case "scenario": scenario = try reader.string()
            case "duration": duration = try reader.string()
            default: try reader.skip()
            }
        }
    }
}
