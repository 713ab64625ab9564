internal import Glibc

/// A directory of its own for one test, removed with everything in it when released.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/crowd-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SupportError("mkdtemp: \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Names of the files in it.
    public var names: [String] { Self.names(path) }

    /// Polls until `condition` holds for the names of the files; false after `seconds`.
    public func waits(seconds: Int = 5, until condition: ([String]) -> Bool) -> Bool {
        for _ in 0..<(seconds * 100) {
            if condition(names) { return true }
            usleep(10_000)
        }
        return false
    }

    /// Writes a file below it, making the folders on its way, and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try put(name, bytes, O_WRONLY | O_CREAT | O_TRUNC)
    }

    @discardableResult
    public func append(_ name: String, _ text: String) throws -> String {
        try put(name, Array(text.utf8), O_WRONLY | O_CREAT | O_APPEND)
    }

    private func put(_ name: String, _ bytes: [UInt8], _ flags: Int32) throws -> String {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/" + part
            mkdir(folder, 0o700)
        }
        let file = path + "/" + name
        let fd = open(file, flags, 0o600)
        guard fd >= 0 else { throw SupportError("open \(file): \(errno)") }
        defer { close(fd) }
        guard Glibc.write(fd, bytes, bytes.count) == bytes.count else { throw SupportError("write \(file): \(errno)") }
        return file
    }

    static func names(_ path: String) -> [String] {
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        for name in names(path) {
            let child = path + "/" + name
            if unlink(child) != 0 { remove(child) }
        }
        rmdir(path)
    }
}

/// Why a test's scaffolding failed.
public struct SupportError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
