import Synchronization

/// One stream answer, encoded when first sent and then shared by all who asked the same.
final class SharedAnswer: Sendable {
    /// The bouncer's position once it has this answer.
    let lastChange: UInt64
    let isEmpty: Bool
    private let source: (view: DecisionView, delta: StreamDelta)?
    private let encoded: Mutex<[[UInt8]]?>

    init(view: DecisionView, delta: StreamDelta) {
        lastChange = view.lastChange
        isEmpty = delta.isEmpty
        source = (view, delta)
        encoded = Mutex(nil)
    }

    /// Nothing is new: the answer of nearly every poll, and it costs no snapshot.
    init(emptyAt lastChange: UInt64) {
        self.lastChange = lastChange
        isEmpty = true
        source = nil
        encoded = Mutex([Self.emptyBody])
    }

    private static let emptyBody = Array("{\"new\": [], \"deleted\": []}".utf8)

    /// The body in pieces. The first caller encodes; others who come meanwhile wait for it.
    func body() -> [[UInt8]] {
        encoded.withLock { encoded in
            if let encoded { return encoded }
            let pieces = source.map { $0.view.encode($0.delta) } ?? [Self.emptyBody]
            encoded = pieces
            return pieces
        }
    }
}
