import CrowdCore
import CrowdTestSupport
import Glibc

/// Sockets belong to the network namespace of the thread that opens them, and may be used from any.
enum Inside {
    private typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32

    /// Runs `body` on a thread of its own inside a namespace made by `ip netns`.
    static func namespace<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable () throws -> Value
    ) throws -> Value {
        let outcome = Completion<Result<Value, SupportError>>()
        PlainThread.start("inside") {
            do {
                try enter(name)
                outcome.set(.success(try body()))
            } catch {
                outcome.set(.failure(SupportError("\(error)")))
            }
        }
        return try outcome.wait().get()
    }

    private static func enter(_ name: String) throws {
        // Not among what Swift imports of the C library.
        guard let symbol = dlsym(nil, "setns") else { throw SupportError("no setns") }
        let fd = open("/var/run/netns/\(name)", O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { throw SupportError("no namespace \(name)") }
        defer { close(fd) }
        guard unsafeBitCast(symbol, to: SetNamespace.self)(fd, 0x4000_0000) == 0 else {
            throw SupportError("setns \(name): \(errno)")
        }
    }
}

/// UDP packets from many sources of the attacker to the edge, and who of them gets in.
final class Prober: Sendable {
    private let senders: [(source: String, fd: Int32)]
    private let receivers: [Int32]
    private static let port: UInt16 = 9999

    init(_ network: NetworkPair, sources: [String]) throws {
        for source in sources {
            let end = source.contains(":") ? "/128 dev v0 nodad" : "/32 dev v0"
            try Command.must("ip -n \(network.attacker) addr add \(source)\(end)")
        }
        senders = try Inside.namespace(network.attacker) { try sources.map { ($0, try Self.socket(bound: $0, 0)) } }
        receivers = try Inside.namespace(network.edge) {
            [try Self.socket(bound: NetworkPair.v4, Self.port), try Self.socket(bound: NetworkPair.v6, Self.port)]
        }
        for _ in 0..<100 where try gettingIn().count < sources.count { sleepMilliseconds(20) }
    }

    deinit {
        for (_, fd) in senders { close(fd) }
        for fd in receivers { close(fd) }
    }

    /// Sources of which a packet gets in now.
    func gettingIn() throws -> Set<String> {
        for (source, fd) in senders {
            let target = source.contains(":") ? NetworkPair.v6 : NetworkPair.v4
            let text = Array(source.utf8)
            _ = Self.withAddress(target, Self.port) { sendto(fd, text, text.count, Int32(MSG_DONTWAIT), $0, $1) }
        }
        sleepMilliseconds(30)
        var arrived: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 256)
        for fd in receivers {
            while case let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
                arrived.insert(String(decoding: buffer[..<count], as: UTF8.self))
            }
        }
        return arrived
    }

    private static func socket(bound address: String, _ port: UInt16) throws -> Int32 {
        let family = address.contains(":") ? AF_INET6 : AF_INET
        let fd = Glibc.socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0, withAddress(address, port, { bind(fd, $0, $1) }) == 0 else {
            throw SupportError("bind \(address): \(errno)")
        }
        return fd
    }

    private static func withAddress<Value>(
        _ text: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        var storage = sockaddr_storage()
        let isV6 = text.contains(":")
        withUnsafeMutableBytes(of: &storage) { raw in
            if isV6 {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                inet_pton(AF_INET6, text, &address.sin6_addr)
                raw.storeBytes(of: address, as: sockaddr_in6.self)
            } else {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                inet_pton(AF_INET, text, &address.sin_addr)
                raw.storeBytes(of: address, as: sockaddr_in.self)
            }
        }
        let size = isV6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        return withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(size)) }
        }
    }
}
