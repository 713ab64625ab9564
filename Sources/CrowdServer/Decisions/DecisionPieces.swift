import NIOCore

/// A stream's body, encoded piece by piece as it is sent: a full list of half a million decisions is never in memory
/// as text.
struct DecisionPieces: IteratorProtocol, Sequence {
    /// Bytes after which a piece ends.
    static let pieceSize = 131_072

    private let delta: StreamDelta
    private var encoder: DecisionEncoder
    /// Of the next decision, in `new` and then in `deleted`.
    private var nextNew = 0
    private var nextDeleted = 0
    private var hasBegun = false
    private var hasBegunDeleted = false
    private var hasEnded = false

    init(_ view: DecisionView, _ delta: StreamDelta) {
        self.delta = delta
        encoder = DecisionEncoder(view)
    }

    mutating func next() -> ByteBuffer? {
        guard !hasEnded else { return nil }
        var piece = ByteBuffer()
        piece.reserveCapacity(Swift.min(Self.pieceSize + 512, 64 + 256 * delta.count))
        if !hasBegun { piece.writeStaticString("{\"new\": [") }
        hasBegun = true
        if nextNew < delta.new.count {
            nextNew += append(delta.new[nextNew...], isContinued: nextNew > 0, to: &piece)
        }
        guard nextNew == delta.new.count && piece.readableBytes < Self.pieceSize else { return piece }
        if !hasBegunDeleted { piece.writeStaticString("], \"deleted\": [") }
        hasBegunDeleted = true
        nextDeleted += append(delta.deleted[nextDeleted...], isContinued: nextDeleted > 0, to: &piece)
        guard nextDeleted == delta.deleted.count else { return piece }
        piece.writeStaticString("]}")
        hasEnded = true
        return piece
    }

    private mutating func append(_ slots: ArraySlice<Int32>, isContinued: Bool, to piece: inout ByteBuffer) -> Int {
        encoder.append(slots, isContinued: isContinued, to: &piece, limit: Self.pieceSize)
    }
}
