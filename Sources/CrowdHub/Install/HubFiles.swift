import CrowdCore
import Glibc

/// The few things done to a hub's files.
enum HubFiles {
    static func replace(_ path: String, with bytes: [UInt8]) throws(HubError) {
        do throws(ConfigError) {
            try FileContents.makeDirectory(FileContents.directory(of: path))
            try FileContents.replace(path, with: bytes)
        } catch {
            throw HubError(error)
        }
    }

    /// Makes an absolute link; one that is there already is fine, anything else in its place is not touched.
    static func link(_ path: String, to target: String) throws(HubError) {
        do { try FileContents.makeDirectory(FileContents.directory(of: path)) } catch { throw HubError(error) }
        if symlink(target, path) == 0 { return }
        let fault = errno
        guard fault == EEXIST else { throw .file("symlink \(path): \(systemMessage(fault))") }
        guard Hub.resolved(path) == Hub.resolved(target) else {
            throw .file("symlink \(path): file exists and is not a link to \(target)")
        }
    }
}

/// One operation on a hub at a time: a timer's upgrade and an operator's command wait for each other.
func lockHub(_ directory: String) throws(HubError) -> DirectoryLock {
    do { return try DirectoryLock(directory) } catch { throw HubError(error) }
}
