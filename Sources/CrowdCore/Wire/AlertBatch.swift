/// The alerts of one request, each judged by itself: one that is no alert does not cost the others.
public struct AlertBatch: Sendable {
    public struct Item: Sendable {
        /// Where it stood in the request.
        public var index: Int
        public var alert: Alert
    }

    public struct Refused: Sendable, Equatable {
        public var index: Int
        public var reason: WireError
    }

    /// From so many on a request is refused as a whole: whoever sends that is no agent.
    private static let mostRefused = 1_000

    public private(set) var items: [Item] = []
    public private(set) var refused: [Refused] = []
    /// What a request that was judged as a whole would have been refused with; nil when all of it is good.
    public private(set) var wholeError: WireError?

    /// - Throws: when the text is no JSON array, or not one of its elements is an alert: the error of the whole.
    public init(_ bytes: [UInt8]) throws(WireError) {
        do {
            items = try Alert.list(from: bytes).enumerated().map { Item(index: $0.offset, alert: $0.element) }
        } catch {
            wholeError = error
            // Not JSON at all: there are no single alerts then.
            guard (try? bytes.withUnsafeBufferPointer({ try judgeEach($0) })) != nil, !items.isEmpty else {
                throw error
            }
        }
    }

    private mutating func judgeEach(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        var reader = JSONReader(bytes)
        try reader.beginArray()
        while try reader.nextElement() {
            guard refused.count < Self.mostRefused else {
                items = []
                return
            }
            var element = JSONReader(try reader.rawValue(), maxElements: Alert.mostElements)
            let index = items.count + refused.count
            do { items.append(Item(index: index, alert: try Alert(from: &element))) } catch {
                refused.append(Refused(index: index, reason: error))
            }
        }
        try reader.finish()
    }
}
