internal import Glibc

extension FileContents {
    /// Writes a whole file so that a reader, or a crash, sees the old content or the new one and nothing in between:
    /// a temporary file beside it, synced, then renamed. What is no regular file (a terminal, a pipe) is written to.
    ///
    /// - Throws: `ConfigError` in Go's words; the old file is untouched then.
    public static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o644) throws(ConfigError) {
        var status = stat()
        let isDevice = path.hasPrefix("/dev/") || path.hasPrefix("/proc/")
        let isReplaceable = !isDevice && (stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG)
        let temporary = isReplaceable ? path + ".new" : path
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw ConfigError("open \(path): \(systemMessage(errno))") }
        if isReplaceable { fchmod(descriptor, mode) }
        let fault = writeAll(bytes, to: descriptor, syncs: isReplaceable)
        close(descriptor)
        if isReplaceable, let fault {
            unlink(temporary)
            throw ConfigError("write \(path): \(fault)")
        }
        if let fault { throw ConfigError("write \(path): \(fault)") }
        if isReplaceable { try rename(temporary, to: path) }
    }

    /// Renames a finished file into its place and syncs the directory, so that the name survives a crash as well.
    public static func rename(_ from: String, to path: String, syncsFolder: Bool = true) throws(ConfigError) {
        guard Glibc.rename(from, path) == 0 else {
            let fault = systemMessage(errno)
            unlink(from)
            throw ConfigError("rename \(path): \(fault)")
        }
        if syncsFolder { try? sync(directory(of: path)) }
    }

    /// Writes a file that nobody looks at yet; it is on the disk only after `sync`.
    public static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(ConfigError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw ConfigError("open \(path): \(systemMessage(errno))") }
        defer { close(descriptor) }
        fchmod(descriptor, mode)
        if let fault = writeAll(bytes, to: descriptor, syncs: false) { throw ConfigError("write \(path): \(fault)") }
    }

    /// Brings a file or a directory to the disk.
    public static func sync(_ path: String) throws(ConfigError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ConfigError("open \(path): \(systemMessage(errno))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw ConfigError("sync \(path): \(systemMessage(errno))") }
    }

    /// What went wrong, in the system's words.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32, syncs: Bool) -> String? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return systemMessage(errno) }
            rest = rest.dropFirst(count)
        }
        guard !syncs || fsync(descriptor) == 0 else { return systemMessage(errno) }
        return nil
    }

    /// Makes a directory and those above it.
    public static func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(ConfigError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard mkdir(made, mode) == 0 || errno == EEXIST else {
                throw ConfigError("mkdir \(made): \(systemMessage(errno))")
            }
        }
    }

    /// Names in a directory, sorted by bytes, hidden ones left out; none where there is no such directory.
    public static func entries(_ directory: String) -> [String] {
        names(in: directory).filter { !$0.hasPrefix(".") }
    }

    public static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }
}
