internal import Glibc

/// A program whose output is read while it runs: an argument vector, no shell. Killed and waited for when released.
public final class RunningProgram {
    /// The read end of its standard output.
    public let output: Int32
    /// The read end of its standard error; -1 when that is thrown away.
    public let errors: Int32
    private let pid: pid_t
    private var status: Int32?

    /// - Throws: `ConfigError` in Go's words: `exec: "journalctl": no such file or directory`.
    public init(_ arguments: [String], keepsErrors: Bool = true) throws(ConfigError) {
        let name = arguments.first ?? ""
        let out = try Pipe()
        let err = keepsErrors ? try Pipe() : nil
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, out.writeEnd, 1)
        if let err {
            posix_spawn_file_actions_adddup2(&actions, err.writeEnd, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Threads of ours block signals; a program must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        var child: pid_t = 0
        let result = posix_spawnp(&child, name, &actions, &attributes, &vector, environ)
        guard result == 0 else { throw ConfigError("exec: \"\(name)\": \(systemMessage(result))") }
        (pid, output, errors) = (child, out.takeReadEnd(), err?.takeReadEnd() ?? -1)
    }

    deinit {
        if status == nil { kill(pid, SIGKILL) }
        wait()
        close(output)
        if errors >= 0 { close(errors) }
    }

    /// What it has written and nobody has read yet.
    public var waitingBytes: Int {
        var count: Int32 = 0
        return ioctl(output, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    /// Waits for it to end; its exit status, 128 and more for a signal.
    @discardableResult
    public func wait() -> Int32 {
        if let status { return status }
        var raw: Int32 = 0
        while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
        let code = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
        status = code
        return code
    }
}

/// Two ends, closed unless taken.
private final class Pipe {
    private var readEnd: Int32
    let writeEnd: Int32

    init() throws(ConfigError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ConfigError("pipe: \(systemMessage(errno))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        if readEnd >= 0 { close(readEnd) }
        close(writeEnd)
    }

    func takeReadEnd() -> Int32 {
        defer { readEnd = -1 }
        return readEnd
    }
}
