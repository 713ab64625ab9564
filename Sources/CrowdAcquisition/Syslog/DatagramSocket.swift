import CDatagrams
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

    /// Takes datagrams that are there, as many as one system call gives.
    ///
    /// - Parameter body: told each sender's address and bytes, which are gone afterwards.
    /// - Returns: how many.
    func receive(into slots: DatagramSlots, _ body: (IPAddress?, ByteSlice) -> Void) -> Int {
        let count = crowd_receive_many(
            descriptor, slots.room.baseAddress, slots.slotBytes, slots.taken.baseAddress, Int32(slots.taken.count))
        for index in 0..<Int(count) {
            let taken = slots.taken[index]
            let start = index * slots.slotBytes
            let bytes = slots.room[start..<(start + min(Int(taken.length), slots.slotBytes))]
            body(SocketAddress.address(taken.sender), ByteSlice(UnsafeBufferPointer(rebasing: bytes)))
        }
        return Int(count)
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

/// Room for the datagrams of one call.
final class DatagramSlots {
    let slotBytes: Int
    fileprivate let room: UnsafeMutableBufferPointer<UInt8>
    fileprivate let taken: UnsafeMutableBufferPointer<crowd_datagram>

    /// - Parameter slotBytes: what is longer is cut off.
    init(slotBytes: Int) {
        self.slotBytes = slotBytes
        room = .allocate(capacity: slotBytes * Int(CROWD_MOST_DATAGRAMS))
        taken = .allocate(capacity: Int(CROWD_MOST_DATAGRAMS))
        taken.initialize(repeating: crowd_datagram())
    }

    deinit {
        room.deallocate()
        taken.deallocate()
    }
}
