internal import Glibc
internal import Synchronization

/// A log file that renames itself away when it grows too big. One write(2) per record, so lines of several threads do
/// not mix. Compression and removal of old files happen on a thread of their own.
final class RotatingLogFile: Sendable {
    private struct State {
        var fd: Int32
        var size: Int
    }

    private let path: String
    private let policy: LogFilePolicy
    private let state: Mutex<State>

    init(path: String, policy: LogFilePolicy) throws(ConfigError) {
        self.path = path
        self.policy = policy
        state = Mutex(State(fd: -1, size: 0))
        guard reopen() else { throw ConfigError("open \(path): \(systemMessage(errno))") }
    }

    deinit { state.withLock { _ = close($0.fd) } }

    /// Opens the file again under its name (after somebody else moved it). On failure the old one stays in use.
    @discardableResult
    func reopen() -> Bool { state.withLock { reopen(&$0) } }

    func write(_ record: [UInt8]) {
        state.withLock { state in
            if policy.maxBytes > 0 && state.size > 0 && state.size + record.count > policy.maxBytes { rotate(&state) }
            let written = Glibc.write(state.fd, record, record.count)
            state.size += max(0, written)
        }
    }

    private func reopen(_ state: inout State) -> Bool {
        let fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, policy.mode)
        guard fd >= 0 else { return false }
        if state.fd >= 0 { close(state.fd) }
        var status = stat()
        state = State(fd: fd, size: fstat(fd, &status) == 0 ? Int(status.st_size) : 0)
        return true
    }

    private func rotate(_ state: inout State) {
        let now = Timestamp.now()
        let backup = directory + "/" + LogFilePolicy.backupName(of: name, at: now)
        // If either fails we go on in the file we have: a log that is too big beats none.
        guard rename(path, backup) == 0, reopen(&state) else {
            state.size = 0
            return
        }
        PlainThread.start("log-rotate") { [directory, name, policy] in
            if policy.compress { Gzip.compressFile(backup) }
            for old in policy.superfluous(FileContents.names(in: directory), of: name, now: now) {
                unlink(directory + "/" + old)
            }
        }
    }

    private var directory: String { FileContents.directory(of: path) }
    private var name: String { FileContents.name(of: path) }
}
