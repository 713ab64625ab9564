internal import CNetfilter
internal import CNetfilterSystem
internal import CrowdCore
internal import Glibc

/// Where netlink messages go: the kernel, or what a test puts before it.
protocol NetlinkChannel: AnyObject {
    /// Bytes sent, or a negative error number.
    func send(_ bytes: UnsafeRawBufferPointer) -> Int
    /// Bytes received, or a negative error number; EAGAIN when nothing is there and waiting is not wanted.
    func receive(_ buffer: UnsafeMutableRawBufferPointer, wait: Bool) -> Int
}

/// A netlink socket to the kernel, in the network namespace of the thread that opens it.
final class KernelChannel: NetlinkChannel {
    /// One transaction must fit: asked for with SO_SNDBUFFORCE. A limit, not an allocation.
    private static let sendBytes: Int32 = 256 * 1024 * 1024
    /// Room for the errors of one transaction.
    private static let receiveBytes: Int32 = 8 * 1024 * 1024

    /// An answer that does not come within this is lost.
    private static let patienceSeconds = 60

    private let fd: Int32

    init() throws(NetlinkError) {
        fd = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), Int32(NETLINK_NETFILTER))
        guard fd >= 0 else { throw NetlinkError(code: errno, action: "open netlink socket") }
        set(SOL_SOCKET, SO_SNDBUFFORCE, Self.sendBytes)
        set(SOL_SOCKET, SO_RCVBUFFORCE, Self.receiveBytes)
        var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        set(Int32(CROWD_SOL_NETLINK), Int32(CROWD_NETLINK_CAP_ACK), 1)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard status == 0 else { throw NetlinkError(code: errno, action: "bind netlink socket") }
    }

    deinit { close(fd) }

    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        let sent = Glibc.send(fd, bytes.baseAddress, bytes.count, 0)
        return sent < 0 ? -Int(errno) : sent
    }

    func receive(_ buffer: UnsafeMutableRawBufferPointer, wait: Bool) -> Int {
        let count = recv(fd, buffer.baseAddress, buffer.count, wait ? 0 : Int32(MSG_DONTWAIT))
        return count < 0 ? -Int(errno) : count
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
