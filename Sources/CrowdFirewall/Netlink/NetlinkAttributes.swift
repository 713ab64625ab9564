internal import CNetfilterSystem

/// The attributes of a netlink message or of a nested attribute, in order. Valid while the message's bytes are.
struct NetlinkAttributes: Sequence {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Of a message to or from nf_tables.
    init(message: UnsafePointer<nlmsghdr>) {
        let offset = MemoryLayout<nlmsghdr>.size + MemoryLayout<nfgenmsg>.size
        let length = Int(message.pointee.nlmsg_len)
        let all = UnsafeRawBufferPointer(start: message, count: length)
        bytes = UnsafeRawBufferPointer(rebasing: length > offset ? all[offset...] : all[..<0])
    }

    func makeIterator() -> AnyIterator<(type: UInt16, value: UnsafeRawBufferPointer)> {
        var rest = bytes
        return AnyIterator {
            guard rest.count >= 4 else { return nil }
            let length = Int(rest.loadUnaligned(as: UInt16.self))
            let type = rest.loadUnaligned(fromByteOffset: 2, as: UInt16.self) & 0x3FFF
            guard length >= 4, length <= rest.count else { return nil }
            let value = UnsafeRawBufferPointer(rebasing: rest[4..<length])
            rest = UnsafeRawBufferPointer(rebasing: rest[Swift.min((length + 3) & ~3, rest.count)...])
            return (type, value)
        }
    }

    subscript(_ type: UInt16) -> UnsafeRawBufferPointer? { first { $0.type == type }?.value }

    func string(_ type: UInt16) -> String? {
        self[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func u32(_ type: UInt16) -> UInt32? {
        self[type].flatMap { $0.count >= 4 ? UInt32(bigEndian: $0.loadUnaligned(as: UInt32.self)) : nil }
    }

    func u64(_ type: UInt16) -> UInt64? {
        self[type].flatMap { $0.count >= 8 ? UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) : nil }
    }

    func nested(_ type: UInt16) -> NetlinkAttributes? { self[type].map { NetlinkAttributes($0) } }
}
