internal import CNetfilter
internal import CNetfilterSystem
internal import CrowdCore
internal import Glibc

/// Why the kernel did not do something.
struct NetlinkError: Error, Equatable, CustomStringConvertible {
    var code: Int32
    /// What was being done.
    var action: String
    /// What a program said about it, in place of the error number's own words.
    var detail: String?
    var description: String {
        let words = detail.map { $0.split(separator: "\n").joined(separator: " ") } ?? ""
        return "\(action): \(words.isEmpty ? systemMessage(code) : words)"
    }
}

/// Netlink messages to and from the netfilter subsystems, by number and answer. Not for several threads at once.
final class NetlinkSocket {
    private static let piece = 64 * 1024

    private let channel: any NetlinkChannel
    private var sequence: UInt32
    private var buffer = [UInt8](repeating: 0, count: NetlinkSocket.piece)

    init(_ channel: any NetlinkChannel) {
        self.channel = channel
        sequence = UInt32(truncatingIfNeeded: MonotonicClock.now()) & 0x00FF_FFFF
    }

    convenience init() throws(NetlinkError) { self.init(try KernelChannel()) }

    /// A number for the next message.
    func nextSequence() -> UInt32 {
        // 0 is not used.
        sequence = sequence >= 0x7FFF_FFFF ? 1 : sequence + 1
        return sequence
    }

    /// Sends messages that are no transaction, each with a number of its own; their errors are handed out as they come.
    func post(_ bytes: [UInt8], _ action: String, _ failed: (Int32) -> Void) throws(NetlinkError) {
        try send(bytes, action)
        while let count = try receive(wait: false, action) {
            forEachMessage(count) { header, payload in
                let code = Self.error(header, payload)
                if code != 0 { failed(code) }
            }
        }
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

    /// Sends a request that asks to be acknowledged, the last that took a number, and hands out the messages that come
    /// before that.
    ///
    /// - Returns: the error number with which it was answered, 0 for none.
    func ask(
        _ request: [UInt8], _ action: String, _ take: (UnsafePointer<nlmsghdr>) -> Void
    ) throws(NetlinkError) -> Int32 {
        try send(request, action)
        var outcome: Int32?
        while outcome == nil {
            guard let count = try receive(wait: true, action) else { break }
            forEachMessage(count) { header, payload in
                guard header.pointee.nlmsg_seq == sequence else { return }
                guard Int(header.pointee.nlmsg_type) == Int(NLMSG_ERROR) else { return take(header) }
                outcome = Self.error(header, payload)
            }
        }
        return outcome ?? 0
    }

    private func send(_ bytes: [UInt8], _ action: String) throws(NetlinkError) {
        while true {
            switch bytes.withUnsafeBytes({ channel.send($0) }) {
            case let sent where sent == bytes.count: return
            case -Int(EINTR): continue
            case let code: throw NetlinkError(code: code < 0 ? Int32(-code) : EMSGSIZE, action: action)
            }
        }
    }

    /// `nil` when nothing is left and waiting is not wanted.
    private func receive(wait: Bool, _ action: String) throws(NetlinkError) -> Int? {
        while true {
            switch buffer.withUnsafeMutableBytes({ channel.receive($0, wait: wait) }) {
            case let count where count >= 0: return count
            case -Int(EINTR): continue
            case -Int(EAGAIN) where !wait: return nil
            case let code: throw NetlinkError(code: Int32(-code), action: action)
            }
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
}
