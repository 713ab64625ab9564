internal import Glibc

/// systemd's notification protocol over `$NOTIFY_SOCKET`; does nothing without that variable.
public enum ServiceManager {
    /// Everything has started.
    public static func ready(status: String? = nil) { send(["READY=1"] + lines(status)) }

    /// A reload begins; `ready` ends it.
    public static func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        send(["RELOADING=1", "MONOTONIC_USEC=\(time.tv_sec * 1_000_000 + time.tv_nsec / 1000)"])
    }

    public static func stopping(status: String? = nil) { send(["STOPPING=1"] + lines(status)) }

    /// The line that `systemctl status` shows.
    public static func status(_ text: String) { send(lines(text)) }

    /// How long systemd waits for a sign of life (`WatchdogSec=`) before it ends the service; nil where it does not.
    public static var watchdogTimeout: GoDuration? {
        guard let text = getenv("WATCHDOG_USEC").map({ String(cString: $0) }), let microseconds = Int64(text),
            microseconds > 0, microseconds < .max / 1000
        else { return nil }
        // It may be another process of the same service that is watched.
        let watched = getenv("WATCHDOG_PID").map { String(cString: $0) }
        return watched == nil || watched == "\(getpid())" ? GoDuration(nanoseconds: microseconds * 1000) : nil
    }

    /// A sign of life.
    public static func isAlive() { send(["WATCHDOG=1"]) }

    private static func lines(_ status: String?) -> [String] {
        status.map { ["STATUS=" + $0.split(separator: "\n").joined(separator: " ")] } ?? []
    }

    private static func send(_ lines: [String]) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }) else { return }
        guard let fd = UnixDatagram.connect(path) else { return }
        defer { close(fd) }
        let message = Array(lines.joined(separator: "\n").utf8)
        _ = Glibc.send(fd, message, message.count, Int32(MSG_NOSIGNAL))
    }
}
