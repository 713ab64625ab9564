internal import Glibc
internal import Synchronization

/// A value that one side sets once and a thread waits for: the bridge from a task to a thread outside Swift's pool.
public final class Completion<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)

    public init() {}

    public func set(_ value: Value) { state.withLock { $0 = value } }
    public var value: Value? { state.withLock { $0 } }

    /// Looks every 5 ms: for the ends of a process and for answers to people, not for work.
    public func wait() -> Value {
        while true {
            if let value { return value }
            usleep(5000)
        }
    }

    /// The same, for so long at most; nil when nothing was set by then.
    public func wait(atMost limit: GoDuration) -> Value? {
        let end = Timestamp.now() + limit
        while Timestamp.now() < end {
            if let value { return value }
            usleep(5000)
        }
        return value
    }

    /// Runs `body` as a task and waits on this thread, which must not be one of Swift's pool.
    public static func wait(for body: @escaping @Sendable () async -> Value) -> Value {
        let completion = Completion()
        Task { completion.set(await body()) }
        return completion.wait()
    }
}
