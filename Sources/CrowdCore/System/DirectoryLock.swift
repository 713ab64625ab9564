internal import Glibc

/// One process at a time at work on a directory. Ends with the process at the latest; a file system without locks is
/// used without one.
public final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Waits its turn.
    ///
    /// - Parameter patience: as long as it takes when nil; else at the most so long.
    /// - Throws: when the directory cannot be made or opened, or is still another's after that time.
    public init(_ directory: String, mode: UInt32 = 0o755, patience: GoDuration? = nil) throws(ConfigError) {
        try FileContents.makeDirectory(directory, mode: mode)
        descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ConfigError("open \(directory): \(systemMessage(errno))") }
        guard let patience else {
            while flock(descriptor, LOCK_EX) != 0 {
                guard errno == EINTR else { break }
            }
            return
        }
        let end = Timestamp.now() + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            guard errno == EWOULDBLOCK else { break }
            guard Timestamp.now() < end else {
                close(descriptor)
                throw ConfigError("\(directory): another process is at work there")
            }
            usleep(50_000)
        }
    }

    deinit { close(descriptor) }
}
