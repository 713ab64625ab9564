import Synchronization
import Testing

@testable import CrowdServer

@Suite("Turnstile") struct TurnstileTests {
    private struct Sorry: Error {}

    private final class Room: Sendable {
        let inside = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let done = Atomic<Int>(0)
    }

    @Test(arguments: [1, 3]) func letsSoManyThrough(_ width: Int) async {
        let (turnstile, room) = (Turnstile(width: width), Room())
        await withTaskGroup { group in
            for number in 0..<200 {
                group.addTask {
                    _ = try? await turnstile.pass { () throws(Sorry) in
                        room.most.max(room.inside.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
                        await Task.yield()
                        room.inside.subtract(1, ordering: .relaxed)
                        room.done.add(1, ordering: .relaxed)
                        // Who fails makes room too.
                        if number.isMultiple(of: 3) { throw Sorry() }
                    }
                }
            }
        }
        #expect(room.most.load(ordering: .relaxed) <= width && room.done.load(ordering: .relaxed) == 200)
    }
}
