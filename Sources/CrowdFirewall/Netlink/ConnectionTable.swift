internal import CNetfilter
internal import CNetfilterSystem
internal import CrowdCore
internal import Glibc

/// Connections that the kernel tracks.
protocol ConnectionTable: AnyObject {
    /// Those of which one end `isBanned`; how many were forgotten.
    func cut(_ family: Family, where isBanned: (UInt128) -> Bool) throws(NetlinkError) -> Int
}

/// nf_conntrack over netlink. An entry that is deleted takes its flowtable shortcut and its `established` state with it:
/// what of the connection comes later is judged as a new packet.
final class KernelConnections: ConnectionTable {
    private let socket: NetlinkSocket

    init(_ socket: NetlinkSocket) { self.socket = socket }
    convenience init() throws(NetlinkError) { self.init(try NetlinkSocket()) }

    func cut(_ family: Family, where isBanned: (UInt128) -> Bool) throws(NetlinkError) -> Int {
        var doomed: [Entry] = []
        let request = message(UInt16(IPCTNL_MSG_CT_GET.rawValue), family, Int32(NLM_F_REQUEST | NLM_F_DUMP))
        do {
            try socket.dump(request, "list connections") { message in
                guard let entry = Entry(NetlinkAttributes(message: message), family) else { return }
                if isBanned(entry.source) || isBanned(entry.peer) { doomed.append(entry) }
            }
        } catch  where error.code == EINTR {
            // The table changes all the time; what was seen is what there was.
        }
        for entry in doomed { try delete(entry, family) }
        return doomed.count
    }

    /// An entry that is gone meanwhile is no error.
    private func delete(_ entry: Entry, _ family: Family) throws(NetlinkError) {
        let bytes = message(UInt16(IPCTNL_MSG_CT_DELETE.rawValue), family, Int32(NLM_F_REQUEST), entry.identity)
        var failure: Int32 = 0
        try socket.post(bytes, "delete connection") { code in if code != ENOENT { failure = code } }
        guard failure == 0 else { throw NetlinkError(code: failure, action: "delete connection") }
    }

    private func message(_ type: UInt16, _ family: Family, _ flags: Int32, _ payload: [UInt8] = []) -> [UInt8] {
        var header = nlmsghdr()
        header.nlmsg_len = UInt32(MemoryLayout<nlmsghdr>.size + MemoryLayout<nfgenmsg>.size + payload.count)
        header.nlmsg_type = UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | type
        header.nlmsg_flags = UInt16(truncatingIfNeeded: flags)
        header.nlmsg_seq = socket.nextSequence()
        var subsystem = nfgenmsg()
        subsystem.nfgen_family = UInt8(truncatingIfNeeded: family.netfilter)
        subsystem.version = UInt8(NFNETLINK_V0)
        return withUnsafeBytes(of: header) { Array($0) } + withUnsafeBytes(of: subsystem) { Array($0) } + payload
    }

    private struct Entry {
        /// Who opened the connection, and whom.
        var source: UInt128
        var peer: UInt128
        /// Attributes that name it to the kernel: tuple, zone and number, as they came.
        var identity: [UInt8] = []

        init?(_ attributes: NetlinkAttributes, _ family: Family) {
            guard let source = Self.source(attributes, CTA_TUPLE_ORIG, family),
                let peer = Self.source(attributes, CTA_TUPLE_REPLY, family)
            else { return nil }
            (self.source, self.peer) = (source, peer)
            for type in [CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID] {
                guard let value = attributes[k16(type)] else { continue }
                let nested = type == CTA_TUPLE_ORIG ? UInt16(NLA_F_NESTED) : 0
                identity += withUnsafeBytes(of: UInt16(value.count + 4)) { Array($0) }
                identity += withUnsafeBytes(of: k16(type) | nested) { Array($0) }
                identity += Array(value) + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
            }
        }

        private static func source(
            _ attributes: NetlinkAttributes, _ tuple: ctattr_type, _ family: Family
        ) -> UInt128? {
            let addresses = attributes.nested(k16(tuple))?.nested(k16(CTA_TUPLE_IP))
            let value = addresses?[family == .v4 ? k16(CTA_IP_V4_SRC) : k16(CTA_IP_V6_SRC)]
            guard let value, value.count == family.width else { return nil }
            return value.reduce(0) { $0 << 8 | UInt128($1) }
        }
    }
}
