import NIOCore
import Synchronization

/// One stream answer. A small one is encoded when first sent and then shared by all who asked the same; a large one is
/// encoded anew for each, as it is sent, because keeping its text would cost more than making it.
final class SharedAnswer: Sendable {
    /// Decisions up to which the text is kept.
    private static let sharedCount = 2000

    /// The bouncer's position once it has this answer.
    let lastChange: UInt64
    let isEmpty: Bool
    private let source: (view: DecisionView, delta: StreamDelta)?
    private let encoded: Mutex<[ByteBuffer]?>

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

    private static let emptyBody = ByteBuffer(staticString: "{\"new\": [], \"deleted\": []}")

    var body: Reply.Body {
        if let source, source.delta.count > Self.sharedCount {
            return .generated { AnyIterator(DecisionPieces(source.view, source.delta)) }
        }
        return .pieces(sharedPieces)
    }

    /// The first caller encodes; others who come meanwhile wait for it.
    private var sharedPieces: [ByteBuffer] {
        encoded.withLock { encoded in
            if let encoded { return encoded }
            let pieces = source.map { Array(DecisionPieces($0.view, $0.delta)) } ?? [Self.emptyBody]
            encoded = pieces
            return pieces
        }
    }
}
