internal import Glibc

/// Programs that are asked something: an argument vector, no shell, bounded output and time.
public enum ChildProcess {
    /// Standard output of a program that ends with status 0; `nil` for any other end, and for one that is not there.
    ///
    /// Blocks the calling thread for at most `seconds`, after which the program is killed.
    public static func output(_ arguments: [String], seconds: Int = 10, limit: Int = 16 << 20) -> String? {
        var pipe: [Int32] = [0, 0]
        guard !arguments.isEmpty, Glibc.pipe(&pipe) == 0 else { return nil }
        for descriptor in pipe { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let (reader, writer) = (pipe[0], pipe[1])
        defer { close(reader) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, writer, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        var pid: pid_t = 0
        let status = posix_spawnp(&pid, arguments[0], &actions, nil, &vector, environ)
        close(writer)
        guard status == 0 else { return nil }
        let text = read(reader, until: now() + seconds, limit: limit)
        if text == nil { kill(pid, SIGKILL) }
        var end: Int32 = 0
        while waitpid(pid, &end, 0) < 0 && errno == EINTR {}
        return end == 0 ? text : nil
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    /// Until the end of the output; `nil` when time is over or there is too much.
    private static func read(_ descriptor: Int32, until deadline: Int, limit: Int) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let left = deadline - now()
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard left > 0, Glibc.poll(&poll, 1, Int32(left * 1000)) >= 0 || errno == EINTR else { return nil }
            if poll.revents == 0 { continue }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            guard count > 0, bytes.count + count <= limit else { return nil }
            bytes += buffer[..<count]
        }
    }
}
