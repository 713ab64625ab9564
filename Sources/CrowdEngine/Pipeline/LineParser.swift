public import CrowdCore
import CrowdExpr
import CrowdText

/// Lines that were read, and what became of them.
public struct LineCounts: Sendable {
    public var read = 0
    public var parsed = 0
    public var unparsed = 0
    public var whitelisted = 0
    public init() {}

    static func += (sum: inout LineCounts, more: LineCounts) {
        sum.read += more.read
        sum.parsed += more.parsed
        sum.unparsed += more.unparsed
        sum.whitelisted += more.whitelisted
    }
}

/// Takes lines through the parser stages, one after the other. One thread's own; content is shared.
public final class LineParser {
    public let content: Content
    let event: Event
    let runner: StageRunner
    var counts = LineCounts()
    /// For asking which scenarios may want the event.
    private let machine: Machine
    private let candidates = ScenarioCandidates()

    public init(_ content: Content) {
        self.content = content
        event = Event(keys: content.keys)
        machine = Machine(event: event)
        runner = StageRunner(content.parsers, event: event, stashes: content.data.stashes)
    }

    /// One line, without its line end, into `event`, which is empty.
    ///
    /// - Returns: whether it is for the scenarios: all stages were passed and no whitelist has it.
    func parse(_ raw: ByteSlice, from origin: LineOrigin, at time: Timestamp) -> Bool {
        counts.read += 1
        event.isReplay = origin.isReplay
        event.line.raw = raw
        event.line.source = origin.source
        event.line.module = origin.module
        if event.line.labels !== origin.labels { event.line.labels = origin.labels }
        event.line.time = time
        event.time = time
        guard runner.run() else {
            counts.unparsed += 1
            return false
        }
        counts.parsed += 1
        guard event.isWhitelisted else { return true }
        counts.whitelisted += 1
        return false
    }

    func resetCounts() {
        counts = LineCounts()
        runner.resetCounts()
    }

    // MARK: a batch ahead of its turn

    /// Parses the line into `lines`, if some scenario may want it. `raw` must live as long as they do.
    public func parse(_ raw: ByteSlice, from origin: LineOrigin, at time: Timestamp, into lines: ParsedLines) {
        let mark = event.arena.mark
        event.clear()
        if parse(raw, from: origin, at: time), isWanted {
            lines.events.append(event, ordinal: counts.read)
        } else {
            event.arena.rewind(to: mark)
        }
    }

    private var isWanted: Bool {
        content.scenarioIndex.find(candidates, on: machine)
        return !candidates.isEmpty
    }

    /// To be called after the last line of the batch.
    public func finish(_ lines: ParsedLines) {
        lines.events.takeTexts(of: event)
        event.reset()
        lines.counts = counts
        lines.nodeCounts = runner.counts
        resetCounts()
    }
}

/// A batch's lines, parsed: what scenarios may want of them, and what parsing them counted.
public final class ParsedLines: @unchecked Sendable {
    // Sendable: filled by one thread, handed over, emptied by another.
    let events = EventBuffer()
    var counts = LineCounts()
    var nodeCounts: [NodeCounts]

    public init(for content: Content) { nodeCounts = NodeCounts.zeros(for: content.parsers) }

    /// Empty, but for the memory.
    public func removeAll() {
        events.removeAll()
        counts = LineCounts()
    }
}
