internal import Glibc

/// A program whose output is read while it runs: an argument vector, no shell. Killed and waited for when released.
public final class RunningProgram {
    public let output: Int32
    public let errors: Int32
    private let pid: pid_t
    private var status: Int32?

    /// - Throws: `ConfigError` in Go's words: `exec: "journalctl": no such file or directory`.
    public init(_ arguments: [String]) throws(ConfigError) {
        let name = arguments.first ?? ""
        let out = try Self.makePipe()
        let err = try Self.makePipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, out[1], 1)
        posix_spawn_file_actions_adddup2(&actions, err[1], 2)
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        var child: pid_t = 0
        let result = posix_spawnp(&child, name, &actions, nil, &vector, environ)
        close(out[1])
        close(err[1])
        guard result == 0 else {
            close(out[0])
            close(err[0])
            throw ConfigError("exec: \"\(name)\": \(systemMessage(result))")
        }
        (pid, output, errors) = (child, out[0], err[0])
    }

    private static func makePipe() throws(ConfigError) -> [Int32] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ConfigError("pipe: \(systemMessage(errno))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return ends
    }

    deinit {
        if status == nil { kill(pid, SIGKILL) }
        wait()
        close(output)
        close(errors)
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
