import CrowdCore

/// Batches on their way from data sources to the engine. Bounded: a source that is too fast waits.
public final class LineQueue: @unchecked Sendable {
    // Sendable: every access to the state below is within the monitor.
    private let monitor = Monitor()
    private var batches: [LineBatch] = []
    private var bytes = 0
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

    public init(maxBytes: Int = 4 * 1024 * 1024, maxBatches: Int = 1_024) {
        self.maxBytes = maxBytes
        self.maxBatches = maxBatches
    }

    /// Waits while the queue is full. False when the queue was closed and the batch was not taken.
    public func put(_ batch: LineBatch) -> Bool {
        monitor.locked {
            monitor.wait { isClosed || hasRoom }
            return append(batch)
        }
    }

    /// Takes the batch if there is room now; for sources that cannot wait.
    public func offer(_ batch: LineBatch) -> Bool {
        monitor.locked { hasRoom && append(batch) }
    }

    private var hasRoom: Bool { bytes <= maxBytes && batches.count < maxBatches }

    private func append(_ batch: LineBatch) -> Bool {
        guard !isClosed else { return false }
        batches.append(batch)
        bytes += batch.byteCount
        return true
    }

    /// The next batch, waiting for at most `milliseconds`.
    public func take(within milliseconds: Int) -> Taken {
        monitor.locked {
            monitor.wait(within: milliseconds) { isClosed || !batches.isEmpty }
            guard !batches.isEmpty else { return isClosed ? .closed : .nothing }
            let batch = batches.removeFirst()
            bytes -= batch.byteCount
            return .batch(batch)
        }
    }

    /// No more batches are accepted; those inside can still be taken.
    public func close() { monitor.locked { isClosed = true } }
}
