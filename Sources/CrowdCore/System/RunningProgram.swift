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
        let started = ProgramStart.spawn(
            name, Array(arguments.dropFirst()), descriptors: (nil, out.writeEnd, err?.writeEnd))
        let child: pid_t
        switch started {
        case .success(let pid): child = pid
        case .failure(let error): throw ConfigError("exec: \"\(name)\": \(systemMessage(error.code))")
        }
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

    /// Has the system keep so much of its output before it must wait, where that is allowed; 64 KiB otherwise.
    public func keepUnread(atMost bytes: Int) {
        // F_SETPIPE_SZ of fcntl(2), which Glibc's headers keep from Swift.
        _ = fcntl(output, 1_031, Int32(clamping: bytes))
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
