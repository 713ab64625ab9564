internal import CNetfilter
internal import CrowdCore
internal import Glibc

/// A program of the distribution, run with an argument vector and never through a shell, its input and output in memory.
struct SystemTool {
    private static let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    private static let limitSeconds = 120
    private static let longestOutput = 512 << 20

    let name: String

    /// - Returns: what it wrote to its standard output.
    /// - Throws: what it wrote to its standard error when it failed, or did not end in time.
    func run(_ arguments: [String], input: [UInt8] = []) throws(NetlinkError) -> [UInt8] {
        let candidates = Self.folders.map { folder in "\(folder)/\(name)" }
        guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw NetlinkError(code: ENOENT, action: "find the program \(name)")
        }
        let (stdin, stdout, stderr) = (try MemoryFile(), try MemoryFile(), try MemoryFile())
        try stdin.fill(input)
        let pid = try spawn(path, arguments, stdin.fd, stdout.fd, stderr.fd)
        let status = Self.wait(pid)
        guard status == 0 else {
            let message = String(decoding: try stderr.contents(limit: 4096), as: UTF8.self)
            throw NetlinkError(code: Self.code(message), action: action(arguments), detail: message)
        }
        return try stdout.contents(limit: Self.longestOutput)
    }

    private func action(_ arguments: [String]) -> String { ([name] + arguments.prefix(4)).joined(separator: " ") }

    private func spawn(
        _ path: String, _ arguments: [String], _ stdin: Int32, _ stdout: Int32, _ stderr: Int32
    ) throws(NetlinkError) -> pid_t {
        let started = ProgramStart.spawn(
            path, arguments, environment: ["PATH=" + Self.folders.joined(separator: ":"), "LC_ALL=C"],
            descriptors: (stdin, stdout, stderr))
        switch started {
        case .success(let pid): return pid
        case .failure(let error): throw NetlinkError(code: error.code, action: "start \(path)")
        }
    }

    /// The exit status; anything but 0 when it had to be killed.
    private static func wait(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        for _ in 0..<(limitSeconds * 1000) {
            let ended = waitpid(pid, &status, WNOHANG)
            if ended == pid || (ended < 0 && errno != EINTR) { return status }
            usleep(1000)
        }
        kill(pid, SIGKILL)
        waitpid(pid, &status, 0)
        return -1
    }

    /// What the message is about, where we act on it.
    private static func code(_ message: String) -> Int32 {
        if message.contains("is full") || message.contains("maximal number") { return ENOSPC }
        if message.contains("does not exist") { return ENOENT }
        return message.contains("Permission denied") || message.contains("not permitted") ? EPERM : EINVAL
    }
}

/// A file that only we see.
private final class MemoryFile {
    let fd: Int32

    init() throws(NetlinkError) {
        fd = crowd_memory_file()
        guard fd >= 0 else { throw NetlinkError(code: errno, action: "make a file in memory") }
    }

    deinit { close(fd) }

    func fill(_ bytes: [UInt8]) throws(NetlinkError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(fd, $0.baseAddress?.advanced(by: done), bytes.count - done, off_t(done))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw NetlinkError(code: errno, action: "write to a file in memory") }
            done += count
        }
    }

    func contents(limit: Int) throws(NetlinkError) -> [UInt8] {
        var info = stat()
        guard fstat(fd, &info) == 0 else { throw NetlinkError(code: errno, action: "read a file in memory") }
        let size = min(Int(info.st_size), limit)
        return Array(unsafeUninitializedCapacity: size) { buffer, count in
            while count < size,
                case let got = pread(fd, buffer.baseAddress?.advanced(by: count), size - count, off_t(count)),
                got > 0
            {
                count += got
            }
        }
    }
}
