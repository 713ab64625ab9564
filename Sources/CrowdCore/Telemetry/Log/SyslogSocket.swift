internal import Glibc
internal import Synchronization

/// Datagrams to `/dev/log`, RFC 3164, facility daemon. Never blocks; a missing or full syslog loses the message.
final class SyslogSocket: Sendable {
    private let path: String
    private let tag: String
    private let fd = Mutex<Int32>(-1)

    init(program: String, path: String = "/dev/log") {
        self.path = path
        tag = "\(program)[\(getpid())]: "
    }

    deinit { fd.withLock { if $0 >= 0 { close($0) } } }

    func write(_ record: LogRecord) {
        var message = Array("<\(24 + Self.severity(record.level))>\(tag)".utf8)
        record.appendText(to: &message, withTime: false)
        message.removeLast()
        fd.withLock { fd in
            for _ in 0..<2 {
                if fd < 0 { fd = UnixDatagram.connect(path) ?? -1 }
                guard fd >= 0 else { return }
                if send(fd, message, message.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) >= 0 {
                    return
                }
                guard errno != EAGAIN else { return }
                close(fd)
                fd = -1
            }
        }
    }

    private static func severity(_ level: LogLevel) -> Int {
        switch level {
        case .fatal: 2
        case .error: 3
        case .warning: 4
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
