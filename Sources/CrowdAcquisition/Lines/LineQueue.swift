import CrowdCore
import CrowdEngine

/// Batches on their way from data sources to the engine. Bounded: a source that is too fast waits.
///
/// There is a lane for each priority with bounds of its own, so that what matters less never takes the room of what matters
/// more. When there is something in several, the highest goes first, but each eighth batch is of the lowest: none waits
/// for ever. Batches of one source stay in order, being of one priority.
public final class LineQueue: @unchecked Sendable {
    // Sendable: every access to the state below is within the monitor.
    private static let fairness = 8

    private struct Lane {
        var batches: [LineBatch] = []
        var bytes = 0
    }

    private let monitor = Monitor()
    private var lanes = SourcePriority.allCases.map { _ in Lane() }
    private var turn = 0
    private var isClosed = false
    private let maxBytes: Int
    private let maxBatches: Int

    /// What `take` found.
    public enum Taken {
        case batch(LineBatch)
        /// Nothing came within the time given.
        case nothing
        /// Closed, and all batches were taken.
        case closed
    }

    /// - Parameters: bounds of each lane.
    public init(maxBytes: Int = 4 * 1024 * 1024, maxBatches: Int = 1_024) {
        self.maxBytes = maxBytes
        self.maxBatches = maxBatches
    }

    /// Waits while the queue is full. False when the queue was closed and the batch was not taken.
    public func put(_ batch: LineBatch) -> Bool {
        let lane = SourcePriority(batch.origin).rawValue
        return monitor.locked {
            monitor.wait { isClosed || hasRoom(lane) }
            return append(batch, lane)
        }
    }

    /// Takes the batch if there is room now; for sources that cannot wait.
    public func offer(_ batch: LineBatch) -> Bool {
        let lane = SourcePriority(batch.origin).rawValue
        return monitor.locked { hasRoom(lane) && append(batch, lane) }
    }

    private func hasRoom(_ lane: Int) -> Bool {
        lanes[lane].bytes <= maxBytes && lanes[lane].batches.count < maxBatches
    }

    private func append(_ batch: LineBatch, _ lane: Int) -> Bool {
        guard !isClosed else { return false }
        lanes[lane].batches.append(batch)
        lanes[lane].bytes += batch.byteCount
        return true
    }

    /// The next batch, waiting for at most `milliseconds`.
    public func take(within milliseconds: Int) -> Taken {
        monitor.locked {
            monitor.wait(within: milliseconds) { isClosed || nextLane != nil }
            guard let lane = nextLane else { return isClosed ? .closed : .nothing }
            turn += 1
            let batch = lanes[lane].batches.removeFirst()
            lanes[lane].bytes -= batch.byteCount
            return .batch(batch)
        }
    }

    private var nextLane: Int? {
        let isOther = turn % Self.fairness == Self.fairness - 1
        return isOther
            ? lanes.lastIndex { !$0.batches.isEmpty } : lanes.firstIndex { !$0.batches.isEmpty }
    }

    /// No more batches are accepted; those inside can still be taken.
    public func close() { monitor.locked { isClosed = true } }
}

/// What is parsed first while not everything can be.
///
/// Declared by an acquisition's label `crowd_priority`, so that its file stays one that CrowdSec reads.
enum SourcePriority: Int, CaseIterable {
    case high, normal, low

    static let label = "crowd_priority"

    init(_ origin: LineOrigin) { self = Self(origin.labels[ByteSlice("crowd_priority")]) ?? .normal }

    private init?(_ text: ByteSlice) {
        switch text {
        case ByteSlice("high"): self = .high
        case ByteSlice("low"): self = .low
        default: return nil
        }
    }

    /// - Throws: for a word that is none of the three.
    static func check(_ labels: [(String, String)], at mark: SourceMark) throws(ConfigError) {
        guard let given = labels.first(where: { $0.0 == label })?.1, !["high", "normal", "low"].contains(given) else {
            return
        }
        throw ConfigError("\(label) '\(given)' is not one of high, normal, low", at: mark)
    }
}
