import NIOCore
import Synchronization

/// Lets a few through at a time, in the order they came.
///
/// What takes long and is asked for by many goes through one, so that what others want done does not stand in a queue behind
/// all of it.
final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var waiting: CircularBuffer<CheckedContinuation<Void, Never>> = []
    }

    private let state: Mutex<State>

    init(width: Int = 1) { state = Mutex(State(free: width)) }

    func pass<Result: Sendable, Failure>(
        _ body: @Sendable () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state in
            if state.waiting.isEmpty { state.free += 1 }
            return state.waiting.popFirst()
        }
        next?.resume()
    }
}
