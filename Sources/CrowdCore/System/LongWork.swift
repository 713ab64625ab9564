import Glibc

/// Work of many steps beside threads that answer requests.
///
/// The kernel puts a thread that wakes on the processor where it ran before, behind whoever works there, and leaves it there
/// until its next tick, up to 4 ms later, although another processor may be idle (docs/decisions/0052). So work that keeps a
/// processor for longer asks every hundred microseconds or so whether somebody waits there: `sched_yield(2)`, a fraction
/// of a microsecond when nobody does.
public enum LongWork {
    /// Lets others go first who wait for this processor.
    public static func pause() { sched_yield() }

    /// The same, after some of many short steps.
    ///
    /// - Parameters:
    ///   - index: of the step, from 0.
    ///   - steps: between two pauses, a power of two.
    @inline(__always)
    public static func pause(after index: Int, every steps: Int = 32) {
        if index & (steps - 1) == steps - 1 { sched_yield() }
    }
}
