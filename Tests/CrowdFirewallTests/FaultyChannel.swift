import CNetfilterSystem
import CrowdCore
import CrowdTestSupport
import Glibc

@testable import CrowdFirewall

/// The kernel's netlink socket with faults before it, as long as `faults` lasts.
final class FaultyChannel: NetlinkChannel {
    private let kernel: KernelChannel
    private var random: SeededRandom
    /// How many are still to come.
    private var faults: Int
    /// A transaction that adds an element with these bytes in its key is refused, always.
    private let poison: [UInt8]
    /// What the refusal is told with.
    private var refusals: [[UInt8]] = []

    init(_ kernel: KernelChannel, seed: UInt64, faults: Int, poison: [UInt8] = []) {
        self.kernel = kernel
        random = SeededRandom(seed)
        self.faults = faults
        self.poison = poison
    }

    private func strikes() -> Bool {
        guard faults > 0, Int.random(in: 0..<5, using: &random) == 0 else { return false }
        faults -= 1
        return true
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        if strikes() { return Bool.random(using: &random) ? -Int(EINTR) : -Int(ENOBUFS) }
        if !poison.isEmpty, isPoisoned(bytes) {
            refusals.append(refusal(of: bytes))
            return bytes.count
        }
        return kernel.send(bytes)
    }

    func receive(_ buffer: UnsafeMutableRawBufferPointer, wait: Bool) -> Int {
        if !refusals.isEmpty, case let message = refusals.removeFirst() {
            buffer.copyBytes(from: message)
            return message.count
        }
        guard strikes() else { return kernel.receive(buffer, wait: wait) }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return -Int(EINTR)
        case 1:
            // A message is lost, and the socket says so.
            let lost = kernel.receive(buffer, wait: wait)
            return lost == -Int(EAGAIN) ? lost : -Int(ENOBUFS)
        default:
            let count = kernel.receive(buffer, wait: wait)
            guard count >= MemoryLayout<nlmsghdr>.size else { return count }
            // Somebody changed the ruleset during the dump.
            let flags = buffer.loadUnaligned(fromByteOffset: 6, as: UInt16.self) | UInt16(NLM_F_DUMP_INTR)
            buffer.storeBytes(of: flags, toByteOffset: 6, as: UInt16.self)
            return count
        }
    }

    private func isPoisoned(_ bytes: UnsafeRawBufferPointer) -> Bool {
        messages(bytes).contains { offset, length in
            let type = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self)
            guard type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | k16(NFT_MSG_NEWSETELEM) else { return false }
            let body = Array(bytes[offset..<(offset + length)])
            return body.indices.contains { body[$0...].starts(with: poison) }
        }
    }

    private func messages(_ bytes: UnsafeRawBufferPointer) -> [(Int, Int)] {
        var (offset, found) = (0, [(Int, Int)]())
        while offset + 16 <= bytes.count {
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            guard length >= 16 else { break }
            found.append((offset, length))
            offset += (length + 3) & ~3
        }
        return found
    }

    /// An error message for the transaction's first number.
    private func refusal(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let sequence = bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        var message: [UInt8] = []
        for word in [UInt32(36), UInt32(NLMSG_ERROR), sequence, 0, UInt32(bitPattern: -EINVAL), 0, 0, 0, 0] {
            withUnsafeBytes(of: word) { message.append(contentsOf: $0) }
        }
        return message
    }
}
