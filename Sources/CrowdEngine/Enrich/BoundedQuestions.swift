import CrowdCore
import Synchronization

/// Questions that the engine waits for, to somebody who may be slow to answer: name servers.
///
/// Who asks waits at most three seconds, and no more than eight questions are open.
final class BoundedQuestions: Sendable {
    private static let patience = GoDuration.seconds(3)
    private static let mostOpen = 8

    private let open = Atomic(0)

    enum Outcome<Answer> {
        case answer(Answer)
        /// None came in time; the question stays open until it does.
        case late
        /// It was not asked: too many are open.
        case refused
    }

    /// Runs `body` on a thread of its own, named `thread`, and waits for what it gives.
    func ask<Answer: Sendable>(_ thread: String, _ body: @escaping @Sendable () -> Answer) -> Outcome<Answer> {
        guard open.wrappingAdd(1, ordering: .relaxed).newValue <= Self.mostOpen else { return refuse() }
        let answer = Completion<Answer>()
        let started = PlainThread.start(thread) { [self] in
            answer.set(body())
            open.wrappingSubtract(1, ordering: .relaxed)
        }
        guard started else { return refuse() }
        return answer.wait(atMost: Self.patience).map { .answer($0) } ?? .late
    }

    private func refuse<Answer>() -> Outcome<Answer> {
        open.wrappingSubtract(1, ordering: .relaxed)
        return .refused
    }
}
