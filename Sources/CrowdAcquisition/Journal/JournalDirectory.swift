import CFileTimes
import Glibc

/// The directory that `journalctl` was told to read, if it was told one: a program that follows it does not notice when
/// another takes its place.
struct JournalDirectory {
    private let path: String
    private let identity: Identity

    /// An inode may be used again; not by a directory made at the same time.
    private struct Identity: Equatable {
        var inode: UInt64
        var born: Int64
    }

    init?(_ filters: [String]) {
        guard let path = Self.path(filters), let identity = Self.identity(path) else { return nil }
        (self.path, self.identity) = (path, identity)
    }

    /// There is another directory under the name now.
    var isReplaced: Bool { Self.identity(path).map { $0 != identity } ?? false }

    private static func path(_ filters: [String]) -> String? {
        for (index, filter) in filters.enumerated() {
            if filter == "-D" || filter == "--directory" { return filters.dropFirst(index + 1).first }
            for prefix in ["--directory=", "-D"] where filter.hasPrefix(prefix) {
                return String(filter.dropFirst(prefix.count))
            }
        }
        return nil
    }

    private static func identity(_ path: String) -> Identity? {
        let fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var info = stat()
        guard fstat(fd, &info) == 0 else { return nil }
        return Identity(inode: UInt64(info.st_ino), born: crowd_birth_time(fd))
    }
}
