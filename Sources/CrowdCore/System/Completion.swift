/// A value that one side sets once and a thread waits for: the bridge from a task, or from another thread, to a thread
/// outside Swift's pool.
public final class Completion<Value: Sendable>: @unchecked Sendable {
    // Sendable: `stored` is touched with the monitor's lock held only.
    private let monitor = Monitor()
    private var stored: Value?

    public init() {}

    public func set(_ value: Value) { monitor.locked { stored = value } }
    public var value: Value? { monitor.locked { stored } }

    public func wait() -> Value {
        while true {
            if let value = waited(milliseconds: nil) { return value }
        }
    }

    /// The same, for so long at most; nil when nothing was set by then.
    public func wait(atMost limit: GoDuration) -> Value? {
        waited(milliseconds: Int(clamping: max(limit.nanoseconds, 0) / 1_000_000))
    }

    private func waited(milliseconds: Int?) -> Value? {
        monitor.locked {
            monitor.wait(within: milliseconds) { stored != nil }
            return stored
        }
    }

    /// Runs `body` as a task and waits on this thread, which must not be one of Swift's pool.
    public static func wait(for body: @escaping @Sendable () async -> Value) -> Value {
        let completion = Completion()
        Task { completion.set(await body()) }
        return completion.wait()
    }
}
