import Glibc

/// What a new thread is given.
private final class ThreadEntry {
    let body: @Sendable () -> Void

    init(body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

/// Runs `body` on a thread of its own; false when the system gives none.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    let entry = Unmanaged.passRetained(ThreadEntry(body: body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            let entry = Unmanaged<ThreadEntry>.fromOpaque(argument).takeRetainedValue()
            entry.body()
            return nil
        }, entry.toOpaque())
    guard status == 0 else {
        entry.release()
        return false
    }
    pthread_detach(thread)
    return true
}
