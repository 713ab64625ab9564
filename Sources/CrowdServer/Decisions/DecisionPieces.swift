/// A stream's body, encoded piece by piece as it is sent: a full list of half a million decisions is never in memory
/// as text.
struct DecisionPieces: IteratorProtocol, Sequence {
    /// Bytes after which a piece ends.
    private static let pieceSize = 65_536

    private let delta: StreamDelta
    private var encoder: DecisionEncoder
    /// Of the next decision, in `new` and then `deleted`.
    private var index = 0
    private var hasBegun = false
    private var isInDeleted = false
    private var hasEnded = false

    init(_ view: DecisionView, _ delta: StreamDelta) {
        self.delta = delta
        encoder = DecisionEncoder(view)
    }

    mutating func next() -> [UInt8]? {
        guard !hasEnded else { return nil }
        encoder.bytes = []
        encoder.bytes.reserveCapacity(Swift.min(Self.pieceSize + 512, 64 + 256 * delta.count))
        if !hasBegun { encoder.literal("{\"new\": [") }
        hasBegun = true
        while index < delta.count {
            if encoder.bytes.count >= Self.pieceSize { return encoder.bytes }
            beginDeletedIfDue()
            if index > (isInDeleted ? delta.new.count : 0) { encoder.literal(",") }
            encoder.append(Int(isInDeleted ? delta.deleted[index - delta.new.count] : delta.new[index]))
            index += 1
        }
        beginDeletedIfDue()
        encoder.literal("]}")
        hasEnded = true
        return encoder.bytes
    }

    private mutating func beginDeletedIfDue() {
        guard !isInDeleted, index >= delta.new.count else { return }
        encoder.literal("], \"deleted\": [")
        isInDeleted = true
    }
}
