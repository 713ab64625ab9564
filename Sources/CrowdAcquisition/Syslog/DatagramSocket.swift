import CrowdCore
import Glibc

/// A bound UDP socket.
final class DatagramSocket {
    private let descriptor: Int32
    /// What the kernel keeps for us at most, its own overhead included.
    let roomBytes: Int

    /// - Throws: `ConfigError`: `listen udp 127.0.0.1:514: bind: permission denied`.
    init(address: String, port: Int, buffer: Int32) throws(ConfigError) {
        let place = "listen udp \(address):\(port)"
        guard let ip = IPAddress(address) else { throw ConfigError("\(place): not a numeric address") }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(ip.isV6 ? AF_INET6 : AF_INET, type, 0)
        guard descriptor >= 0 else { throw ConfigError("\(place): \(systemMessage(errno))") }
        roomBytes = Self.makeRoom(descriptor, buffer)
        let bound = SocketAddress.with(ip, port: port) { bind(descriptor, $0, $1) }
        guard bound == 0 else {
            let reason = systemMessage(errno)
            close(descriptor)
            throw ConfigError("\(place): bind: \(reason)")
        }
    }

    deinit { close(descriptor) }

    /// Beyond `net.core.rmem_max` only for who may administer the network; else as much as there is.
    private static func makeRoom(_ descriptor: Int32, _ wanted: Int32) -> Int {
        var size = wanted
        let length = socklen_t(MemoryLayout<Int32>.size)
        if setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, length) != 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, length)
        }
        var given = length
        return getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, &given) == 0 ? Int(size) : 0
    }

    func waits(milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, milliseconds) > 0
    }

    /// The next datagram and its sender's address; nil when there is none.
    func receive(into buffer: UnsafeMutableBufferPointer<UInt8>) -> (sender: IPAddress?, count: Int)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, buffer.baseAddress, buffer.count, 0, $0, &length)
            }
        }
        guard count >= 0 else { return nil }
        return (SocketAddress.address(storage), count)
    }

    /// How many datagrams the kernel has dropped for want of room, since the socket was made; nil where it does not tell.
    var drops: UInt32? { figure(8) }

    /// What waits in the socket, with the kernel's own overhead, in bytes.
    var waitingBytes: UInt32 { figure(0) ?? 0 }

    /// One of the figures of `SO_MEMINFO` (linux/sock_diag.h).
    private func figure(_ index: Int) -> UInt32? {
        let option: Int32 = 55
        var figures = [UInt32](repeating: 0, count: 9)
        var length = socklen_t(figures.count * MemoryLayout<UInt32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, option, &figures, &length) == 0 else { return nil }
        return Int(length) > index * MemoryLayout<UInt32>.size ? figures[index] : nil
    }
}
