import CrowdAcquisition
import CrowdCore
import CrowdEngine

/// Threads that parse batches ahead of the engine, which gets them in the order they were read.
///
///     queue ──► parser 1 ─┐
///           ──► parser 2 ─┼─► in order ──► engine: pours, raises alerts, keeps account
///           ──► parser n ─┘
///
/// Parsing looks at one line alone, so that what the engine sees does not depend on how many there are. Content that
/// keeps stashes is the exception: its lines are parsed by the engine, one after the other.
final class ParserPool: @unchecked Sendable {
    // Sendable: every access to the state below is within the monitor.
    private let monitor = Monitor()
    private let queue: LineQueue
    private let window: Int
    private var content: Content
    /// Finished batches by number, until their turn comes.
    private var finished: [Int: Work] = [:]
    private var spare: [ParsedLines] = []
    /// Number of the batch that is taken next, and of the one that is delivered next.
    private var next = 0
    private var delivered = 0
    private var isTaking = false
    private var isHeld = false
    private var alive = 0

    /// A batch whose turn it is.
    struct Work {
        var batch: LineBatch
        /// nil leaves the parsing to the engine.
        var lines: ParsedLines?
    }

    enum Taken {
        case work(Work)
        case nothing
        case closed
    }

    /// Starts `count` threads, or as many as the system gives.
    init(_ queue: LineQueue, content: Content, count: Int) {
        self.queue = queue
        self.content = content
        window = count * 2 + 1
        for number in 1...max(count, 1) {
            monitor.locked { alive += 1 }
            let started = PlainThread.start("parser-\(number)", stackBytes: 8 * 1024 * 1024) { self.run() }
            if !started { monitor.locked { alive -= 1 } }
        }
    }

    /// False when the system gave no thread at all.
    var isRunning: Bool { monitor.locked { alive > 0 } }

    // MARK: the engine's side

    /// The next batch in order, waiting for at most `milliseconds`.
    func take(within milliseconds: Int) -> Taken {
        monitor.locked {
            monitor.wait(within: milliseconds) { finished[delivered] != nil || (alive == 0 && delivered == next) }
            guard let work = finished.removeValue(forKey: delivered) else {
                return alive == 0 && delivered == next ? .closed : .nothing
            }
            delivered += 1
            return .work(work)
        }
    }

    /// Gives lines back whose events were poured.
    func recycle(_ lines: ParsedLines) {
        lines.removeAll()
        monitor.locked { if spare.count < window { spare.append(lines) } }
    }

    /// Batches that are taken from now on are parsed with this content; those before go to `body` first.
    func replace(_ content: Content, draining body: (Work) -> Void) {
        monitor.locked {
            isHeld = true
            monitor.wait { !isTaking }
        }
        while monitor.locked({ delivered < next }) {
            if case .work(let work) = take(within: 1_000) { body(work) }
        }
        monitor.locked {
            self.content = content
            spare.removeAll()
            isHeld = false
        }
    }

    // MARK: the parsers' side

    private func run() {
        var parser: LineParser?
        while true {
            monitor.locked {
                monitor.wait { !isHeld && !isTaking && next - delivered < window }
                isTaking = true
            }
            let taken = queue.take(within: 1_000)
            let assigned = monitor.locked { () -> (number: Int, content: Content, lines: ParsedLines?)? in
                isTaking = false
                guard case .batch = taken else { return nil }
                defer { next += 1 }
                return (next, content, content.needsOrder ? nil : spare.popLast() ?? ParsedLines(for: content))
            }
            if case .closed = taken { break }
            guard case .batch(let batch) = taken, let assigned else { continue }
            if let lines = assigned.lines {
                if parser?.content !== assigned.content { parser = LineParser(assigned.content) }
                parser?.parse(batch, into: lines)
            }
            monitor.locked { finished[assigned.number] = Work(batch: batch, lines: assigned.lines) }
        }
        monitor.locked { alive -= 1 }
    }
}

extension LineParser {
    /// All lines of the batch, which must live as long as what was parsed.
    fileprivate func parse(_ batch: LineBatch, into lines: ParsedLines) {
        batch.withEachLine { parse($0, from: batch.origin, at: batch.time, into: lines) }
        finish(lines)
    }
}
