internal import Glibc
internal import Synchronization

/// Debian's PostgreSQL in a private directory, reached over a unix socket in it and over nothing else. One server serves
/// all tests of this process and ends with it, however it ends; each test makes its own database.
public final class PostgresServer: Sendable {
    /// The directory of the socket.
    public let directory: String
    private let programs: String
    private let lastDatabase = Atomic<Int>(0)

    /// nil, with a line that says why, when PostgreSQL is not installed.
    public static let shared: PostgresServer? = {
        do { return try PostgresServer() } catch {
            print("skipped: no PostgreSQL server: \(error)")
            return nil
        }
    }()

    /// The name of a fresh database.
    public func makeDatabase() throws -> String {
        let name = "t\(lastDatabase.add(1, ordering: .relaxed).newValue)"
        let result = try Command.run([programs + "/createdb", "-h", directory, "-U", Self.user, name], seconds: 60)
        guard result.status == 0 else { throw SupportError("createdb: \(result.output)") }
        return name
    }

    /// Runs SQL in a database, as another program would; the output is plain text.
    @discardableResult
    public func sql(_ text: String, in database: String = "postgres") throws -> String {
        let result = try Command.run(
            [programs + "/psql", "-h", directory, "-U", Self.user, "-d", database, "-X", "-A", "-t", "-q", "-c", text],
            seconds: 60)
        guard result.status == 0 else { throw SupportError("psql: \(result.output)") }
        return result.output
    }

    /// Stops the server and starts it again, as an administrator would.
    public func restart() throws {
        let control = Self.asOwner + [programs + "/pg_ctl", "-D", directory + "/data", "-w", "-m", "fast", "restart"]
        let result = try Command.run(control + ["-l", directory + "/log"], seconds: 60)
        guard result.status == 0 else { throw SupportError("pg_ctl: \(result.output)") }
    }

    public static let user = "crowd"

    /// PostgreSQL refuses to run as root.
    private static var asOwner: [String] {
        isRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
    }

    public init() throws {
        guard let programs = Self.newestPrograms() else {
            throw SupportError("no /usr/lib/postgresql/*/bin (package postgresql)")
        }
        self.programs = programs
        var template = Array("/tmp/crowd-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SupportError("mkdtemp: \(errno)") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if isRoot { try Command.must("chown postgres:postgres \(directory)") }
        chmod(directory, 0o755)
        let made = try Command.run(
            Self.asOwner + [
                programs + "/initdb", "-D", directory + "/data", "-U", Self.user, "-A", "trust", "-E", "UTF8",
                "--no-sync", "--locale=C.UTF-8",
            ], seconds: 120)
        guard made.status == 0 else { throw SupportError("initdb: \(made.output)") }
        try startGuarded()
    }

    /// Starts the server under a guard that stops it and removes the directory when this process' end of a pipe closes.
    private func startGuarded() throws {
        let control = (Self.asOwner + [programs + "/pg_ctl", "-D", directory + "/data", "-w"]).joined(separator: " ")
        let options = "-k \(directory) -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=300"
        let script = """
            \(control) -l \(directory)/log -o '\(options)' start >/dev/null && echo up > \(directory)/state
            cat > /dev/null
            \(control) -m immediate stop > /dev/null; rm -rf \(directory)
            """
        try Self.spawnWithPipe(["sh", "-c", script])
        for _ in 0..<1200 {
            if Command.text(directory + "/state") == "up\n" { return }
            usleep(50_000)
        }
        throw SupportError("the server does not come up: \(Command.text(directory + "/log"))")
    }

    /// The child's input is a pipe whose other end stays open here, and is inherited by nobody.
    private static func spawnWithPipe(_ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SupportError("pipe: \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // Its own group: a signal from the terminal must not take it before its work is done.
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        var variables: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer { for pointer in variables { free(pointer) } }
        var pid: Int32 = 0
        let status = posix_spawnp(&pid, arguments[0], &actions, &attributes, &vector, &variables)
        close(ends[0])
        guard status == 0 else { throw SupportError("\(arguments[0]): \(status)") }
    }

    private static func newestPrograms() -> String? {
        let root = "/usr/lib/postgresql"
        let versions = TemporaryDirectory.names(root).compactMap { Int($0) }.sorted()
        return versions.last.map { "\(root)/\($0)/bin" }
    }
}
