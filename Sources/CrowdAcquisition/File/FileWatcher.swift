import CrowdCore
import Glibc
import Logging

/// Waits for files to change: inotify on the files and on the folders in which they appear.
///
/// A kernel that refuses another watch is no error: the caller looks by itself every quarter second anyway.
final class FileWatcher {
    enum News { case nothing, content, names }

    private let descriptor: Int32
    private var watched: Set<String> = []
    private let log: Logger

    init?(_ patterns: [String], log: Logger) {
        self.log = log
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else {
            log.warning("inotify is not available, files are polled: \(systemMessage(errno))")
            return nil
        }
        for pattern in patterns { watchDirectory(FileContents.directory(of: pattern)) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private func watchDirectory(_ path: String) {
        let mask = UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
        if !path.contains("*"), inotify_add_watch(descriptor, path, mask) < 0 {
            log.debug("\(path) is not watched: \(systemMessage(errno))")
        }
    }

    /// Names may have come to stand for other files since: asking again for a watched one costs a system call only.
    func watch(_ paths: some Sequence<String>) {
        for path in paths {
            inotify_add_watch(descriptor, path, UInt32(IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF))
        }
    }

    /// Waits for the next change, at most so long.
    func wait(milliseconds: Int32) -> News {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) > 0 else { return .nothing }
        return drain()
    }

    private func drain() -> News {
        var news = News.content
        let size = 16 * 1024
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let count = read(descriptor, buffer, size)
            guard count > 0 else { return news }
            var at = 0
            let header = MemoryLayout<inotify_event>.size
            while at + header <= count {
                let event = buffer.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
                if event.mask & UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) != 0 { news = .names }
                at += header + Int(event.len)
            }
        }
    }

    static func pause(milliseconds: UInt32) -> News {
        usleep(milliseconds * 1_000)
        return .nothing
    }
}
