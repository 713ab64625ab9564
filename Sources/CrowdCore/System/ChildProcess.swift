internal import Glibc

/// Programs that are asked something: an argument vector, no shell, bounded output and time.
public enum ChildProcess {
    /// Standard output of a program that ends with status 0; `nil` for any other end, and for one that is not there.
    ///
    /// Blocks the calling thread for at most `seconds`, after which the program is killed.
    public static func output(_ arguments: [String], seconds: Int = 10, limit: Int = 16 << 20) -> String? {
        guard let program = try? RunningProgram(arguments, keepsErrors: false),
            let text = read(program.output, until: now() + seconds, limit: limit)
        else { return nil }
        return program.wait() == 0 ? text : nil
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
