internal import Synchronization

/// A number that only grows. Resolved once at load; `add` costs one atomic addition, from any thread.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)
    public func add(_ amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }
    public var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    public func set(_ value: Int) { set(Double(value)) }
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// How often a value fell below each of some bounds.
public final class Histogram: Sendable {
    struct Values: Equatable {
        /// One per bound and one for what is above the last; not cumulative.
        var counts: [UInt64]
        var sum = 0.0
    }

    /// Bounds in seconds (surface facts F).
    public enum Bounds {
        public static let parsing = [0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.005, 0.0075, 0.01]
        public static let pouring = [0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05]
        public static let requests = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1]
    }

    let bounds: [Double]
    private let state: Mutex<Values>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Values(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// About 20 ns: for requests and batches, not for each line.
    public func observe(_ value: Double, count: UInt64 = 1) {
        let slot = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { values in
            values.counts[slot] += count
            values.sum += value * Double(count)
        }
    }

    var values: Values { state.withLock { $0 } }
}
