internal import CrowdCore
internal import Glibc

/// Programs that tests run: found in PATH, argument vectors only.
public final class Command: Sendable {
    public struct Result: Sendable {
        public var status: Int32
        /// Standard output and error together.
        public var output: String
    }

    public let pid: Int32

    /// Starts a program; its output goes to the file at `log`, or is thrown away.
    public init(_ arguments: [String], log: String = "/dev/null", environment: [String: String] = [:]) throws {
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw SupportError("open \(log): \(errno)") }
        defer { close(output) }
        let names = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + environment.map { "\($0.key)=\($0.value)" }
        let started = ProgramStart.spawn(
            arguments[0], Array(arguments.dropFirst()), environment: names, descriptors: (nil, output, output))
        switch started {
        case .success(let pid): self.pid = pid
        case .failure(let error): throw SupportError("\(arguments[0]): \(error.code)")
        }
    }

    public func signal(_ number: Int32) { kill(pid, number) }

    /// Waits for the end, killing the program after `seconds`; its exit status, or 128 and the signal.
    @discardableResult
    public func wait(seconds: Int = 20) -> Int32 {
        var status: Int32 = 0
        for _ in 0..<(seconds * 200) {
            if waitpid(pid, &status, WNOHANG) == pid { return Self.code(status) }
            usleep(5000)
        }
        kill(pid, SIGKILL)
        waitpid(pid, &status, 0)
        return Self.code(status)
    }

    /// Runs a program to its end.
    @discardableResult
    public static func run(_ arguments: [String], seconds: Int = 20) throws -> Result {
        var template = Array("/tmp/crowd-out-XXXXXX".utf8CString)
        let fd = mkstemp(&template)
        guard fd >= 0 else { throw SupportError("mkstemp: \(errno)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(fd)
            unlink(path)
        }
        let status = try Command(arguments, log: path).wait(seconds: seconds)
        return Result(status: status, output: text(path))
    }

    /// Like `run`, for what must succeed.
    @discardableResult
    public static func must(_ line: String) throws -> String {
        let result = try run(line.split(separator: " ").map(String.init))
        guard result.status == 0 else { throw SupportError("\(line): \(result.status) \(result.output)") }
        return result.output
    }

    /// The content of a file as text, empty if there is none.
    public static func text(_ path: String) -> String {
        let fd = open(path, O_RDONLY)
        guard fd >= 0 else { return "" }
        defer { close(fd) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = read(fd, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Where the package's own programs lie: beside the test binary.
    public static func built(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // `swift test` runs the bundle itself, or a helper that is given its path.
        let bundle = path.hasSuffix(".xctest") ? path : CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? path
        return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/\(name)"
    }

    private static func code(_ status: Int32) -> Int32 {
        status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}

/// Whether this process may make network namespaces.
public var isRoot: Bool { geteuid() == 0 }
