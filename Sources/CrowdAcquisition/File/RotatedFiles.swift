import CrowdCore
import Glibc

/// Finds what became of a followed file under other names beside it: `auth.log.1`, `auth.log-20261121`.
enum RotatedFiles {
    /// Files beside `path` with its name and a rotation's number or date behind it, the eldest first; compressed ones
    /// are left out.
    static func siblings(of path: String) -> [LogFile] {
        let directory = FileContents.directory(of: path)
        let name = FileContents.name(of: path)
        return FileContents.names(in: directory)
            .filter { isRotation($0, of: name) }
            .compactMap { try? LogFile(directory + "/" + $0) }
            .sorted { $0.born < $1.born }
    }

    /// `.1`, `-20261121`, `.2026-11-21_10:00`; but not the log of something else whose name begins alike.
    static func isRotation(_ entry: String, of name: String) -> Bool {
        guard entry.hasPrefix(name), entry.utf8.count > name.utf8.count + 1 else { return false }
        let suffix = entry.utf8.dropFirst(name.utf8.count)
        guard let separator = suffix.first, ".-_".utf8.contains(separator) else { return false }
        return suffix.dropFirst().allSatisfy { (48...57).contains($0) || "-_.:T".utf8.contains($0) }
    }

    /// What a rotation packs is no new log.
    static func isPacked(_ path: String) -> Bool {
        [".gz", ".bz2", ".xz", ".zst", ".lz4"].contains { path.hasSuffix($0) }
    }

    /// The file in which a position lies: what its name leads to, or else a file beside it, renamed, or copied before it was
    /// emptied.
    ///
    /// Numbers go before contents. They may be others than before: file systems of the network and of programs make them up,
    /// devices are numbered anew with each boot.
    static func holder(of position: FilePosition, named: LogFile?) -> LogFile? {
        let isNamed = named?.begins(like: position) ?? false
        if let named, isNamed, named.isSame(as: position) { return named }
        let siblings = siblings(of: position.path)
        let renamed = siblings.last { $0.isSame(as: position) && $0.begins(like: position) }
        guard renamed == nil, position.headLength > 0 else { return renamed }
        return isNamed ? named : siblings.last { $0.begins(like: position) }
    }
}
