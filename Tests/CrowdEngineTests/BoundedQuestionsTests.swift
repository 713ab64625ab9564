import CrowdCore
import Synchronization
import Testing

@testable import CrowdEngine

@Suite("Questions to somebody slow") struct BoundedQuestionsTests {
    /// Answers when it is let go.
    private final class Gate: Sendable {
        private let opened = Completion<Bool>()
        let asked = Atomic(0)

        func open() { opened.set(true) }
        func answer() -> Int {
            asked.wrappingAdd(1, ordering: .relaxed)
            _ = opened.wait()
            return 7
        }
    }

    @Test func afterThreeWaitsInVainNobodyIsAskedForAWhile() {
        let questions = BoundedQuestions(thread: "test", patience: .milliseconds(20))
        let gate = Gate()
        defer { gate.open() }
        let start = Timestamp(nanoseconds: 1_000_000_000_000)
        func outcome(at seconds: Int64) -> String {
            switch questions.ask(now: start + .seconds(seconds), gate.answer) {
            case .answer: "answer"
            case .late: "late"
            case .refused: "refused"
            }
        }
        #expect((0..<5).map { outcome(at: $0) } == ["late", "late", "late", "refused", "refused"])
        #expect(gate.asked.load(ordering: .relaxed) <= 3)
        #expect([31, 32].map { outcome(at: $0) } == ["refused", "late"], "half a minute after the third was asked")
    }

    @Test func answersNeverLeadToAPause() {
        let questions = BoundedQuestions(thread: "test", patience: .seconds(60))
        for number in 0..<20 {
            var answer: Int?
            if case .answer(let found) = questions.ask({ number }) { answer = found }
            #expect(answer == number)
        }
    }
}
