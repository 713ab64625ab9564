internal import CrowdCore
internal import Synchronization

/// Turns a stream's bytes, as the HTTP thread gets them, into decisions for `consume`.
final class StreamCollector: Sendable {
    private struct State {
        var splitter = StreamSplitter()
        var unreadable = 0
        var failed = false
    }

    private let state = Mutex(State())
    private let consume: BouncerClient.Consumer

    init(_ consume: @escaping BouncerClient.Consumer) { self.consume = consume }

    /// False when the answer is not what it should be.
    func take(_ piece: UnsafeBufferPointer<UInt8>) -> Bool {
        state.withLock { state in
            do {
                var unreadable = 0
                try state.splitter.feed(piece) { (list, bytes) throws(StreamSplitter.Failure) in
                    var reader = JSONReader(bytes)
                    if let decision = try? StreamDecision(from: &reader) {
                        consume(list == .deleted, decision)
                    } else {
                        unreadable += 1
                    }
                }
                state.unreadable += unreadable
            } catch {
                state.failed = true
            }
            return !state.failed
        }
    }

    /// How many list items were no decisions; `nil` if the answer was not complete.
    func finish() -> Int? { state.withLock { $0.splitter.isComplete && !$0.failed ? $0.unreadable : nil } }
}
