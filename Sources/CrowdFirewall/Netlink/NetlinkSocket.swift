internal import CNetfilter
internal import CNetfilterSystem
internal import CrowdCore
internal import Glibc

/// Why the kernel did not do something.
struct NetlinkError: Error, Equatable, CustomStringConvertible {
    var code: Int32
    /// What was being done.
    var action: String
    var description: String { "\(action): \(systemMessage(code))" }
}

/// A netlink socket to nf_tables. Not for several threads at once.
final class NetlinkSocket {
    private enum Size {
        /// One transaction must fit: asked for with SO_SNDBUFFORCE.
        static let send: Int32 = 64 * 1024 * 1024
        /// Room for the errors of one transaction.
        static let receive: Int32 = 8 * 1024 * 1024
        static let piece = 64 * 1024
    }

    private let fd: Int32
    private var sequence: UInt32
    private var buffer = [UInt8](repeating: 0, count: Size.piece)

    init() throws(NetlinkError) {
        fd = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), Int32(NETLINK_NETFILTER))
        guard fd >= 0 else { throw NetlinkError(code: errno, action: "open netlink socket") }
        sequence = UInt32(truncatingIfNeeded: MonotonicClock.now()) & 0x00FF_FFFF
        Self.set(fd, SOL_SOCKET, SO_SNDBUFFORCE, Size.send)
        Self.set(fd, SOL_SOCKET, SO_RCVBUFFORCE, Size.receive)
        Self.set(fd, Int32(CROWD_SOL_NETLINK), Int32(CROWD_NETLINK_CAP_ACK), 1)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard status == 0 else {
            let code = errno
            close(fd)
            throw NetlinkError(code: code, action: "bind netlink socket")
        }
    }

    deinit { close(fd) }

    /// A number for the next message.
    func nextSequence() -> UInt32 {
        // 0 is not used.
        sequence = sequence >= 0x7FFF_FFFF ? 1 : sequence + 1
        return sequence
    }

    /// Sends a whole transaction; the kernel takes all of it or nothing.
    ///
    /// - Throws: the first error it reports; ENOBUFS where its report did not fit, and the result is unknown.
    func commit(_ batch: borrowing NetlinkBatch) throws(NetlinkError) {
        let own = batch.firstSequence...max(batch.firstSequence, sequence)
        try send(batch.bytes, batch.action)
        var failure: Int32 = 0
        // All replies are queued by the time send returns.
        while let count = try receive(wait: false, batch.action) {
            forEachMessage(count) { header, payload in
                let code = Self.error(header, payload)
                if code != 0 && failure == 0 && own.contains(header.pointee.nlmsg_seq) { failure = code }
            }
        }
        guard failure == 0 else { throw NetlinkError(code: failure, action: batch.action) }
    }

    /// Sends a request, the last that took a number, and hands out each message of its answer. What is left of earlier
    /// answers (after ENOBUFS) is passed over.
    func dump(
        _ request: [UInt8], _ action: String, _ take: (UnsafePointer<nlmsghdr>) -> Void
    ) throws(NetlinkError) {
        try send(request, action)
        var isDone = false
        var failure: Int32 = 0
        while !isDone {
            guard let count = try receive(wait: true, action) else { break }
            forEachMessage(count) { header, payload in
                guard header.pointee.nlmsg_seq == sequence else { return }
                switch Int(header.pointee.nlmsg_type) {
                case Int(NLMSG_DONE): isDone = true
                case Int(NLMSG_ERROR):
                    failure = Self.error(header, payload)
                    isDone = true
                default:
                    if header.pointee.nlmsg_flags & UInt16(NLM_F_DUMP_INTR) != 0 { failure = EINTR }
                    take(header)
                    if header.pointee.nlmsg_flags & UInt16(NLM_F_MULTI) == 0 { isDone = true }
                }
            }
        }
        guard failure == 0 else { throw NetlinkError(code: failure, action: action) }
    }

    private func send(_ bytes: [UInt8], _ action: String) throws(NetlinkError) {
        while true {
            let sent = Glibc.send(fd, bytes, bytes.count, 0)
            if sent == bytes.count { return }
            guard sent < 0, errno == EINTR else {
                throw NetlinkError(code: sent < 0 ? errno : EMSGSIZE, action: action)
            }
        }
    }

    /// `nil` when nothing is left and waiting is not wanted.
    private func receive(wait: Bool, _ action: String) throws(NetlinkError) -> Int? {
        while true {
            let count = recv(fd, &buffer, buffer.count, wait ? 0 : Int32(MSG_DONTWAIT))
            if count >= 0 { return count }
            if errno == EINTR { continue }
            if errno == EAGAIN && !wait { return nil }
            throw NetlinkError(code: errno, action: action)
        }
    }

    private func forEachMessage(
        _ count: Int, _ body: (UnsafePointer<nlmsghdr>, UnsafeRawBufferPointer) -> Void
    ) {
        buffer.withUnsafeBytes { raw in
            var offset = 0
            let headerSize = MemoryLayout<nlmsghdr>.size
            while offset + headerSize <= count, let base = raw.baseAddress {
                let header = (base + offset).assumingMemoryBound(to: nlmsghdr.self)
                let length = Int(header.pointee.nlmsg_len)
                guard length >= headerSize, offset + length <= count else { return }
                body(header, UnsafeRawBufferPointer(rebasing: raw[(offset + headerSize)..<(offset + length)]))
                offset += (length + 3) & ~3
            }
        }
    }

    /// The error number of an NLMSG_ERROR message, positive; 0 for an acknowledgement and anything else.
    private static func error(_ header: UnsafePointer<nlmsghdr>, _ payload: UnsafeRawBufferPointer) -> Int32 {
        guard Int(header.pointee.nlmsg_type) == Int(NLMSG_ERROR), payload.count >= 4 else { return 0 }
        return -payload.loadUnaligned(as: Int32.self)
    }

    private static func set(_ fd: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
