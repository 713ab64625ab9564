internal import Glibc

/// A socket that listens on one numeric address, or at a path.
struct ListeningSocket {
    let fd: Int32
    let port: Int

    /// - Parameter port: 0 lets the system choose.
    /// - Throws: `ConfigError`: `listen tcp 127.0.0.1:6060: bind: address already in use`.
    init(address: String, port: Int) throws(ConfigError) {
        let host = address == "localhost" ? "127.0.0.1" : address.isEmpty ? "::" : address
        let place = "listen tcp \(address):\(port)"
        guard let ip = IPAddress(host) else { throw ConfigError("\(place): not a numeric address") }
        let family = ip.isV6 ? AF_INET6 : AF_INET
        fd = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw ConfigError("\(place): \(systemMessage(errno))") }
        var yes: Int32 = 1
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Self.bind(fd, ip, port) == 0, listen(fd, 64) == 0 else {
            let reason = systemMessage(errno)
            Glibc.close(fd)
            throw ConfigError("\(place): bind: \(reason)")
        }
        self.port = Self.boundPort(fd) ?? port
    }

    /// A unix socket that only this user may connect to. One that a dead process left behind is replaced.
    ///
    /// - Throws: `ConfigError` when somebody answers there, or the place cannot be written to.
    init(path: String) throws(ConfigError) {
        port = 0
        let place = "listen unix \(path)"
        guard var address = Self.address(path: path) else { throw ConfigError("\(place): path is too long") }
        guard !Self.isAnswered(path) else { throw ConfigError("\(place): somebody else listens there") }
        fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw ConfigError("\(place): \(systemMessage(errno))") }
        unlink(path)
        guard Self.bind(fd, &address) == 0, chmod(path, 0o600) == 0, listen(fd, 16) == 0 else {
            let reason = systemMessage(errno)
            Glibc.close(fd)
            throw ConfigError("\(place): \(reason)")
        }
    }

    /// Ends listening; what is at a path stays there.
    func close() { Glibc.close(fd) }

    /// Whether a server answers at a path.
    fileprivate static func isAnswered(_ path: String) -> Bool {
        guard var address = Self.address(path: path) else { return false }
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { return false }
        defer { Glibc.close(fd) }
        return connect(fd, &address) == 0
    }

    private static func address(path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        return address
    }

    private static func connect(_ fd: Int32, _ address: inout sockaddr_un) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func bind(_ fd: Int32, _ ip: IPAddress, _ port: Int) -> Int32 {
        let networkPort = UInt16(truncatingIfNeeded: port).bigEndian
        if ip.isV6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = networkPort
            withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: ip.networkBytes) }
            return bind(fd, &address)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = networkPort
        withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: ip.networkBytes) }
        return bind(fd, &address)
    }

    private static func bind<Address>(_ fd: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(fd, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    private static func boundPort(_ fd: Int32) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
        }
        guard status == 0 else { return nil }
        // The port lies at the same place for both families.
        return withUnsafeBytes(of: &storage) { Int($0[2]) << 8 | Int($0[3]) }
    }
}

/// Asked before a server replaces anything: a second one must end without harm to the first.
public enum ListeningPlace {
    /// Names of hosts are not looked up here.
    ///
    /// - Throws: `listen tcp 127.0.0.1:8080: bind: address already in use`.
    public static func check(address: String, port: Int) throws(ConfigError) {
        guard IPAddress(address) != nil || address == "localhost" else { return }
        try ListeningSocket(address: address, port: port).close()
    }

    /// What a dead process left is free.
    ///
    /// - Throws: `listen unix /run/lapi.sock: bind: address already in use`.
    public static func check(path: String) throws(ConfigError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard access(FileContents.directory(of: path), W_OK) == 0 else {
                throw ConfigError("listen unix \(path): bind: \(systemMessage(errno))")
            }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ConfigError("listen unix \(path): bind: something that is no socket is there")
        }
        guard !ListeningSocket.isAnswered(path) else {
            throw ConfigError("listen unix \(path): bind: \(systemMessage(EADDRINUSE))")
        }
    }
}
