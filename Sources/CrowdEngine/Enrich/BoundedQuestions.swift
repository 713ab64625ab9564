import CrowdCore
import Synchronization

/// Questions that the engine waits for, to somebody who may be slow to answer: name servers.
///
/// Who asks waits at most three seconds, and no more than eight questions are open. After three waits in vain, one after the
/// other, nobody is asked during half a minute: whoever can make us ask must not be able to make us wait.
final class BoundedQuestions: Sendable {
    private static let mostOpen = 8
    private static let waitsInVain = 3
    private static let pause = GoDuration.seconds(30)

    private struct Waits {
        var inVain = 0
        var pausedUntil = Timestamp(nanoseconds: 0)
    }

    private let open = Atomic(0)
    private let waits = Mutex(Waits())
    private let patience: GoDuration

    init(patience: GoDuration = .seconds(3)) { self.patience = patience }

    enum Outcome<Answer> {
        case answer(Answer)
        /// None came in time; the question stays open until it does.
        case late
        /// It was not asked: too many are open, or too many were in vain.
        case refused
    }

    /// Runs `body` on a thread of its own, named `thread`, and waits for what it gives.
    func ask<Answer: Sendable>(
        _ thread: String, now: Timestamp = .now(), _ body: @escaping @Sendable () -> Answer
    ) -> Outcome<Answer> {
        guard waits.withLock({ $0.pausedUntil <= now }) else { return .refused }
        guard open.wrappingAdd(1, ordering: .relaxed).newValue <= Self.mostOpen else { return refuse() }
        let answer = Completion<Answer>()
        let started = PlainThread.start(thread) { [self] in
            answer.set(body())
            open.wrappingSubtract(1, ordering: .relaxed)
        }
        guard started else { return refuse() }
        let outcome = answer.wait(atMost: patience)
        let isLate = outcome == nil
        waits.withLock { waits in
            waits.inVain = isLate ? waits.inVain + 1 : 0
            guard waits.inVain >= Self.waitsInVain else { return }
            waits = Waits(inVain: 0, pausedUntil: now + Self.pause)
        }
        return outcome.map { .answer($0) } ?? .late
    }

    private func refuse<Answer>() -> Outcome<Answer> {
        open.wrappingSubtract(1, ordering: .relaxed)
        return .refused
    }
}
