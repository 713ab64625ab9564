internal import CNetfilter
internal import CNetfilterSystem

/// One transaction being written: messages between a begin and an end, sent with one call.
struct NetlinkBatch: ~Copyable {
    /// What it is for, in error messages.
    let action: String
    private(set) var bytes: [UInt8] = []
    /// Number of its first message.
    let firstSequence: UInt32
    private let socket: NetlinkSocket
    private let scratch: UnsafeMutablePointer<CChar>

    private static let scratchBytes = 80 * 1024
    /// A message's element list must fit a 16-bit attribute length.
    private static let elementListBytes = 64_000

    init(_ action: String, _ socket: NetlinkSocket) {
        self.action = action
        self.socket = socket
        scratch = .allocate(capacity: Self.scratchBytes)
        firstSequence = socket.nextSequence()
        append(nftnl_batch_begin(scratch, firstSequence))
    }

    deinit { scratch.deallocate() }

    /// Ends the transaction and sends it.
    consuming func commit() throws(NetlinkError) {
        append(nftnl_batch_end(scratch, socket.nextSequence()))
        try socket.commit(self)
    }

    /// Adds one message whose payload `build` writes.
    mutating func add(
        _ type: UInt16, _ family: UInt16, flags: Int32 = 0, _ build: (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) {
        let header = nftnl_nlmsg_build_hdr(
            scratch, type, family, UInt16(truncatingIfNeeded: flags), socket.nextSequence())
        guard let header else { return }
        build(header)
        append(header)
    }

    /// Adds elements to a set.
    mutating func addElements(_ segments: some Sequence<Segment>, to set: KernelSet, now: Deadline) {
        let flags = Int32(NLM_F_CREATE)
        putElements(k16(NFT_MSG_NEWSETELEM), flags: flags, set, segments.lazy.map { ($0.span, $0.deadline - now) })
    }

    /// Deletes elements from a set; where the kernel knows how, those that are not there are no error.
    mutating func removeElements(_ spans: some Sequence<AddressSpan>, from set: KernelSet, canDestroy: Bool) {
        let type = canDestroy ? UInt16(CROWD_NFT_MSG_DESTROYSETELEM) : k16(NFT_MSG_DELSETELEM)
        putElements(type, flags: 0, set, spans.lazy.map { ($0, 0) })
    }

    /// A question, outside any transaction, for elements; it must fit one message.
    static func lookUp(_ spans: ArraySlice<AddressSpan>, in set: KernelSet, number: UInt32) -> [UInt8] {
        let scratch = UnsafeMutablePointer<CChar>.allocate(capacity: scratchBytes)
        defer { scratch.deallocate() }
        let header = nftnl_nlmsg_build_hdr(
            scratch, k16(NFT_MSG_GETSETELEM), set.tableFamily, UInt16(NLM_F_REQUEST | NLM_F_ACK), number)
        guard let header else { return [] }
        mnl_attr_put_strz(header, k16(NFTA_SET_ELEM_LIST_TABLE), set.table)
        mnl_attr_put_strz(header, k16(NFTA_SET_ELEM_LIST_SET), set.name)
        let list = mnl_attr_nest_start(header, k16(NFTA_SET_ELEM_LIST_ELEMENTS))
        var writer = ElementWriter(header: header, set: set, room: elementListBytes)
        for span in spans { _ = writer.put(span, timeout: 0) }
        mnl_attr_nest_end(header, list)
        return Array(UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
    }

    /// `timeout` in milliseconds; zero or less means none, which only deletions use.
    private mutating func putElements(
        _ type: UInt16, flags: Int32, _ set: KernelSet, _ elements: some Sequence<(AddressSpan, Int64)>
    ) {
        var iterator = elements.makeIterator()
        var pending = iterator.next()
        while pending != nil {
            let header = nftnl_nlmsg_build_hdr(
                scratch, type, set.tableFamily, UInt16(truncatingIfNeeded: flags), socket.nextSequence())
            guard let header else { return }
            mnl_attr_put_strz(header, k16(NFTA_SET_ELEM_LIST_TABLE), set.table)
            mnl_attr_put_strz(header, k16(NFTA_SET_ELEM_LIST_SET), set.name)
            let list = mnl_attr_nest_start(header, k16(NFTA_SET_ELEM_LIST_ELEMENTS))
            var writer = ElementWriter(header: header, set: set, room: Self.elementListBytes)
            while let (span, timeout) = pending, writer.put(span, timeout: timeout) { pending = iterator.next() }
            mnl_attr_nest_end(header, list)
            append(header)
        }
    }

    private mutating func append(_ header: UnsafeMutablePointer<nlmsghdr>?) {
        guard let header else { return }
        let length = Int(header.pointee.nlmsg_len)
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: header, count: length))
        bytes.append(contentsOf: repeatElement(0, count: (4 - length % 4) % 4))
    }
}

/// Writes elements behind a message header, which must have the room.
private struct ElementWriter {
    let header: UnsafeMutablePointer<nlmsghdr>
    let set: KernelSet
    var room: Int

    /// False, with nothing written, when the room is used up.
    mutating func put(_ span: AddressSpan, timeout: Int64) -> Bool {
        let before = header.pointee.nlmsg_len
        let roomBefore = room
        guard put(span.first, flags: 0, timeout: timeout) else { return false }
        // The highest address has no successor: such an interval stays open.
        guard set.isInterval, span.last < set.family.highest else { return true }
        if put(span.last + 1, flags: k32(NFT_SET_ELEM_INTERVAL_END), timeout: 0) { return true }
        header.pointee.nlmsg_len = before
        room = roomBefore
        return false
    }

    private mutating func put(_ key: UInt128, flags: UInt32, timeout: Int64) -> Bool {
        let target = UnsafeMutableRawPointer(header) + Int(header.pointee.nlmsg_len)
        let width = set.family.width
        var wire = (key << UInt128((16 - width) * 8)).bigEndian
        let length = withUnsafeBytes(of: &wire) { raw in
            crowd_nft_put_element(
                target.assumingMemoryBound(to: UInt8.self), room,
                raw.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt16(width), flags, UInt64(max(0, timeout)))
        }
        header.pointee.nlmsg_len += UInt32(length)
        room -= length
        return length > 0
    }
}
