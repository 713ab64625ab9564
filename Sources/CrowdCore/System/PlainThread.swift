internal import Glibc

/// Threads outside Swift's pool, for work that blocks: libcurl, inotify, waiting for signals.
public enum PlainThread {
    /// Starts a detached thread with a small stack; `name` (at most 15 bytes) shows in `ps -L` and `top -H`.
    ///
    /// - Returns: false if the system refuses another thread; `body` will then not run.
    @discardableResult
    public static func start(
        _ name: String, stackBytes: Int = 512 * 1024, _ body: @escaping @Sendable () -> Void
    ) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackBytes)
        var thread = pthread_t()
        let start = Unmanaged.passRetained(ThreadStart(name, body))
        let status = pthread_create(&thread, &attributes, threadMain, start.toOpaque())
        guard status == 0 else {
            start.release()
            return false
        }
        return true
    }
}

/// What a new thread is to do.
private final class ThreadStart: Sendable {
    private let name: String
    private let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        setName()
        body()
    }

    /// By way of /proc: glibc's own call is hidden from Swift.
    private func setName() {
        let fd = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard fd >= 0 else { return }
        defer { close(fd) }
        let bytes = Array(name.utf8.prefix(15))
        _ = write(fd, bytes, bytes.count)
    }
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
