import CrowdCore
import Glibc

/// File systems whose files live on another machine: SQLite's WAL needs memory that all its users share.
enum NetworkFileSystem {
    private static let known: Set<Substring> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "ceph", "afs", "coda", "lustre", "gpfs", "ocfs2", "gfs2",
        "beegfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph",
    ]

    /// The type of the network file system that holds a file, or will once it is made; nil for any other.
    static func type(holding path: String) -> String? {
        guard let mounts = try? FileContents.read("/proc/self/mountinfo") else { return nil }
        let type = type(holding: real(path), mounts: String(decoding: mounts, as: UTF8.self))
        return known.contains(type) ? String(type) : nil
    }

    /// - Parameter mounts: as proc(5) describes `mountinfo`. The longest mount point that holds the path counts, and of
    ///   several there the last.
    static func type(holding path: String, mounts: String) -> Substring {
        var found: (length: Int, type: Substring) = (0, "")
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            let point = unescaped(fields[4])
            guard point == "/" || path == point || path.hasPrefix(point + "/"), point.utf8.count >= found.length else {
                continue
            }
            found = (point.utf8.count, fields[dash + 1])
        }
        return found.type
    }

    /// Blanks and backslashes stand as `\040` and the like.
    private static func unescaped(_ text: Substring) -> String {
        let parts = text.split(separator: "\\", omittingEmptySubsequences: false)
        return parts.dropFirst().reduce(String(parts[0])) { whole, part in
            guard let code = UInt8(part.prefix(3), radix: 8) else { return whole + "\\" + part }
            return whole + String(Unicode.Scalar(code)) + part.dropFirst(3)
        }
    }

    /// Without links; of a file that is not there, its directory counts.
    private static func real(_ path: String) -> String {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        for candidate in [path, directory] {
            guard let resolved = realpath(candidate, nil) else { continue }
            defer { free(resolved) }
            return String(cString: resolved)
        }
        return path
    }
}
