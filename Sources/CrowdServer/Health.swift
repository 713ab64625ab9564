import CrowdCore
import CrowdStore
import Logging
import Synchronization

/// What is wrong with the server now, for `GET /health`, the metrics and the log. Decisions are handed out all the while.
///
/// (1) A part is well until it is said otherwise, and not well until it is said to be again.
/// (2) The texts go to anybody who asks: no names of files, no words of the database's own.
final class Health: Sendable {
    enum Part: String, CaseIterable, Sendable {
        /// Alerts cannot be stored.
        case database
        case flush
        case connections
        case certificates
        case configuration
    }

    private let problems = Mutex<[Part: String]>([:])
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Those there are, in the order of the parts.
    var present: [(part: Part, problem: String)] {
        let problems = problems.withLock { $0 }
        return Part.allCases.compactMap { part in problems[part].map { (part, $0) } }
    }

    func isTroubled(_ part: Part) -> Bool { problems.withLock { $0[part] != nil } }

    func met(_ problem: String, in part: Part) {
        guard problems.withLock({ $0.updateValue(problem, forKey: part) }) != problem else { return }
        logger.error("Health: \(part.rawValue) is in trouble. problem=\(problem)")
    }

    /// Takes note of what a database call threw, unless it was the call's own fault.
    func met(_ error: StoreError) {
        guard error.kind != .closed, !error.isAboutTheRow else { return }
        met(error.label, in: .database)
    }

    func isOver(_ part: Part) {
        guard problems.withLock({ $0.removeValue(forKey: part) }) != nil else { return }
        logger.info("Health: \(part.rawValue) is well again.")
    }

    /// `{"status":"up"}`, which probes compare with; else what is wrong. The status is 200 either way: a server that is
    /// started again because its disk is full hands out no decisions meanwhile.
    var reply: Reply {
        let present = present
        return .json { writer in
            writer.beginObject()
            writer.member("status", present.isEmpty ? "up" : "degraded")
            if !present.isEmpty {
                writer.key("problems")
                writer.beginArray()
                for (part, problem) in present {
                    writer.beginObject()
                    writer.member("part", part.rawValue)
                    writer.member("problem", problem)
                    writer.endObject()
                }
                writer.endArray()
            }
            writer.endObject()
        }
    }
}
