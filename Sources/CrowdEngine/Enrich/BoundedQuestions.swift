import CrowdCore
import Synchronization

/// Questions to somebody who may be slow to answer: name servers.
///
/// Who asks waits at most three seconds, and no more than 32 questions are open, each on a thread of its own that takes
/// the next question afterwards. After three waits in vain, one after the other, nobody is asked during half a minute:
/// whoever can make us ask must not be able to make us wait.
final class BoundedQuestions: @unchecked Sendable {
    // Sendable: the state is touched with the monitor's lock held only.
    private static let mostOpen = 32
    private static let waitsInVain = 3
    private static let pause = GoDuration.seconds(30)
    /// A thread that nobody asks for so long ends.
    private static let idleMilliseconds = 10_000

    /// How long somebody waits for an answer.
    let patience: GoDuration
    private let threadName: String
    private let answered = Atomic(0)
    private let monitor = Monitor()
    private var questions: [@Sendable () -> Void] = []
    private var open = 0
    private var threads = 0
    private var idle = 0
    private var inVain = 0
    private var pausedUntil = Timestamp(nanoseconds: 0)

    init(thread: String, patience: GoDuration = .seconds(3)) {
        threadName = thread
        self.patience = patience
    }

    /// How many questions were answered so far.
    var answers: Int { answered.load(ordering: .acquiring) }

    enum Outcome<Answer> {
        case answer(Answer)
        /// None came in time; the question stays open until it does.
        case late
        /// It was not asked: too many are open, or too many were in vain.
        case refused
    }

    enum Opening<Answer: Sendable> {
        case asked(Completion<Answer>)
        /// Too many are open; one of them may be answered soon.
        case busy
        /// Nobody is asked for a while, or nobody can be.
        case refused
    }

    /// Asks, and waits for the answer that `body` gives on another thread.
    func ask<Answer: Sendable>(
        now: Timestamp = .now(), _ body: @escaping @Sendable () -> Answer
    ) -> Outcome<Answer> {
        guard case .asked(let question) = open(now: now, body) else { return .refused }
        return wait(for: question, atMost: patience, now: now)
    }

    /// Asks and leaves the waiting for later, or for nobody.
    func open<Answer: Sendable>(
        now: Timestamp = .now(), _ body: @escaping @Sendable () -> Answer
    ) -> Opening<Answer> {
        let question = Completion<Answer>()
        return monitor.locked(waking: .none) {
            guard pausedUntil <= now else { return .refused }
            guard open < Self.mostOpen else { return .busy }
            guard idle > questions.count || startThread() else { return .refused }
            open += 1
            questions.append { [self] in
                let answer = body()
                monitor.locked(waking: .none) { open -= 1 }
                question.set(answer)
                answered.wrappingAdd(1, ordering: .releasing)
            }
            monitor.wakeOne()
            return .asked(question)
        }
    }

    /// What becomes of a question; counts a wait in vain.
    ///
    /// - Parameter limit: what is left of the patience.
    func wait<Answer: Sendable>(
        for question: Completion<Answer>, atMost limit: GoDuration, now: Timestamp = .now()
    ) -> Outcome<Answer> {
        let answer = question.wait(atMost: limit)
        monitor.locked(waking: .none) {
            inVain = answer == nil ? inVain + 1 : 0
            guard inVain >= Self.waitsInVain else { return }
            inVain = 0
            pausedUntil = now + Self.pause
        }
        return answer.map { .answer($0) } ?? .late
    }

    // MARK: threads

    private func startThread() -> Bool {
        threads += 1
        if PlainThread.start(threadName, { self.serve() }) { return true }
        threads -= 1
        return threads > 0
    }

    private func serve() {
        while let question = next() { question() }
    }

    private func next() -> (@Sendable () -> Void)? {
        monitor.locked(waking: .none) {
            idle += 1
            monitor.wait(within: Self.idleMilliseconds) { !questions.isEmpty }
            idle -= 1
            guard questions.isEmpty else { return questions.removeFirst() }
            threads -= 1
            return nil
        }
    }
}
