/// An alert as one JSON object, ready to be sent.
public struct EncodedAlert: Sendable, Equatable {
    /// The alert's own `uuid`: makes sending it twice harmless.
    public var uuid: String
    public var json: [UInt8]

    public init(uuid: String, json: [UInt8]) {
        self.uuid = uuid
        self.json = json
    }
}
