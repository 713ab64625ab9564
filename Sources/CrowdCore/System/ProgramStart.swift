internal import Glibc

/// The one way in which programs are started: an argument vector, no shell, chosen descriptors.
public enum ProgramStart {
    /// The folders of PATH, as it is.
    public static var searchPath: String { getenv("PATH").map { String(cString: $0) } ?? "" }

    /// Whether a program of that name is in one of the folders, which colons separate.
    public static func isFound(_ program: String, in searchPath: String) -> Bool {
        searchPath.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Starts a program, found in PATH unless its name has a slash.
    ///
    /// - Parameters:
    ///   - environment: `NAME=value` each; nil hands on ours.
    ///   - descriptors: become its standard input, output and error; nil is `/dev/null`.
    /// - Returns: its process, or the system's error number.
    public static func spawn(
        _ program: String, _ arguments: [String], environment: [String]? = nil,
        descriptors: (input: Int32?, output: Int32?, errors: Int32?)
    ) -> Result<Int32, ErrorNumber> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let wanted = [descriptors.input, descriptors.output, descriptors.errors]
        for (number, descriptor) in wanted.enumerated() {
            if let descriptor {
                posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
            } else {
                let mode = number == 0 ? O_RDONLY : O_WRONLY
                posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", mode, 0)
            }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Threads of ours block signals; a program must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var vector = copies([program] + arguments)
        defer { for pointer in vector { free(pointer) } }
        var variables = environment.map(copies) ?? []
        defer { for pointer in variables { free(pointer) } }
        var pid: pid_t = 0
        let status =
            environment == nil
            ? posix_spawnp(&pid, program, &actions, &attributes, &vector, environ)
            : posix_spawnp(&pid, program, &actions, &attributes, &vector, &variables)
        return status == 0 ? .success(pid) : .failure(ErrorNumber(code: status))
    }

    /// An `errno`.
    public struct ErrorNumber: Error {
        public let code: Int32
    }

    private static func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] { texts.map { strdup($0) } + [nil] }
}
