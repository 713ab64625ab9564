internal import CNetfilter
internal import CNetfilterSystem
internal import Glibc

/// What the kernel has under a table's name.
struct KernelTable: Equatable, Sendable {
    struct Chain: Equatable, Sendable {
        /// `nil` for a chain that is not a base chain.
        var hook: UInt32?
        var priority: Int32 = 0
        /// In order: the mark, and the bytes of the expressions, which tell any change.
        var rules: [Rule] = []
    }

    struct Rule: Equatable, Sendable {
        var mark: String
        var expressions: [UInt8]
        /// Sets that the rule looks into.
        var lookups: [String] = []
        var action: Action?
    }

    enum Action: String, Sendable { case accept, drop, reject }

    struct Counter: Equatable, Sendable {
        var packets: UInt64
        var bytes: UInt64
    }

    var exists = false
    var chains: [String: Chain] = [:]
    /// Flags and key length by name.
    var sets: [String: SetShape] = [:]
    var counters: [String: Counter] = [:]

    struct SetShape: Equatable, Sendable {
        var flags: UInt32
        var keyLength: UInt32
        /// How many elements; `nil` where the kernel does not tell.
        var count: Int?
    }
}

/// Reading.
extension NetlinkSocket {
    /// Everything about a table but the elements of its sets.
    func table(_ name: String, _ family: UInt16) throws(NetlinkError) -> KernelTable {
        var table = KernelTable()
        try forEach(NFT_MSG_GETTABLE, family, "list tables") { attributes in
            if attributes.string(k16(NFTA_TABLE_NAME)) == name { table.exists = true }
        }
        guard table.exists else { return table }
        try forEach(NFT_MSG_GETCHAIN, family, "list chains") { attributes in
            guard attributes.string(k16(NFTA_CHAIN_TABLE)) == name,
                let chain = attributes.string(k16(NFTA_CHAIN_NAME))
            else { return }
            let hook = attributes.nested(k16(NFTA_CHAIN_HOOK))
            table.chains[chain] = .init(
                hook: hook?.u32(k16(NFTA_HOOK_HOOKNUM)),
                priority: Int32(bitPattern: hook?.u32(k16(NFTA_HOOK_PRIORITY)) ?? 0))
        }
        try forEach(NFT_MSG_GETSET, family, "list sets", (k16(NFTA_SET_TABLE), name)) { attributes in
            guard attributes.string(k16(NFTA_SET_TABLE)) == name, let set = attributes.string(k16(NFTA_SET_NAME))
            else { return }
            table.sets[set] = .init(
                flags: attributes.u32(k16(NFTA_SET_FLAGS)) ?? 0, keyLength: attributes.u32(k16(NFTA_SET_KEY_LEN)) ?? 0,
                count: attributes.u32(UInt16(CROWD_NFTA_SET_COUNT)).map { Int($0) })
        }
        table.counters = try counters(of: name, family)
        try forEach(NFT_MSG_GETRULE, family, "list rules", (k16(NFTA_RULE_TABLE), name)) { attributes in
            guard attributes.string(k16(NFTA_RULE_TABLE)) == name, let chain = attributes.string(k16(NFTA_RULE_CHAIN))
            else { return }
            table.chains[chain, default: .init()].rules.append(KernelTable.Rule(attributes))
        }
        return table
    }

    /// Families of the tables of a name: a configuration names a table, not its family.
    func families(ofTable name: String) throws(NetlinkError) -> [UInt16] {
        var families: [UInt16] = []
        let bytes = request(NFT_MSG_GETTABLE, UInt16(NFPROTO_UNSPEC), flags: Int32(NLM_F_REQUEST | NLM_F_DUMP))
        try dump(bytes, "list tables") { message in
            guard NetlinkAttributes(message: message).string(k16(NFTA_TABLE_NAME)) == name else { return }
            let header = UnsafeRawPointer(message) + MemoryLayout<nlmsghdr>.size
            families.append(UInt16(header.load(as: nfgenmsg.self).nfgen_family))
        }
        return families
    }

    /// The named counters of a table.
    func counters(of table: String, _ family: UInt16) throws(NetlinkError) -> [String: KernelTable.Counter] {
        var counters: [String: KernelTable.Counter] = [:]
        try forEach(NFT_MSG_GETOBJ, family, "list counters", (k16(NFTA_OBJ_TABLE), table)) { attributes in
            guard attributes.string(k16(NFTA_OBJ_TABLE)) == table, let name = attributes.string(k16(NFTA_OBJ_NAME)),
                attributes.u32(k16(NFTA_OBJ_TYPE)) == UInt32(NFT_OBJECT_COUNTER)
            else { return }
            let data = attributes.nested(k16(NFTA_OBJ_DATA))
            counters[name] = .init(
                packets: data?.u64(k16(NFTA_COUNTER_PACKETS)) ?? 0, bytes: data?.u64(k16(NFTA_COUNTER_BYTES)) ?? 0)
        }
        return counters
    }

    /// The number of the ruleset's current generation: it moves with every committed transaction of anybody.
    func generation() throws(NetlinkError) -> UInt32 {
        var generation: UInt32 = 0
        try dump(request(NFT_MSG_GETGEN, Family.v4.netfilter, flags: Int32(NLM_F_REQUEST)), "read generation") {
            message in
            generation = NetlinkAttributes(message: message).u32(k16(NFTA_GEN_ID)) ?? 0
        }
        return generation
    }

    /// A set's elements as segments, sorted. Deadlines are computed from what is left at `now`; an element without a
    /// timeout is there for ever.
    func elements(of set: KernelSet) throws(NetlinkError) -> [Segment] {
        var edges: [ElementEdge] = []
        let bytes = request(
            NFT_MSG_GETSETELEM, set.tableFamily, flags: Int32(NLM_F_REQUEST | NLM_F_DUMP),
            (k16(NFTA_SET_ELEM_LIST_TABLE), set.table), (k16(NFTA_SET_ELEM_LIST_SET), set.name))
        try dump(bytes, "list elements of \(set.name)") { message in
            let now = MonotonicClock.now()
            guard let list = NetlinkAttributes(message: message).nested(k16(NFTA_SET_ELEM_LIST_ELEMENTS)) else {
                return
            }
            for item in list {
                if let edge = ElementEdge(NetlinkAttributes(item.value), now: now) { edges.append(edge) }
            }
        }
        return ElementEdge.segments(edges, of: set)
    }

    /// When some elements end, in their order; `nil` for what is not there exactly so. Costs the same per element however
    /// large the set is, where a dump of it costs the square of its size.
    func deadlines(of spans: [AddressSpan], in set: KernelSet) throws(NetlinkError) -> [Deadline?] {
        var answers = ElementAnswers(spans, set)
        while answers.next < spans.count {
            let piece = spans[answers.next..<min(answers.next + Self.elementsPerQuestion, spans.count)]
            let code = try ask(question(piece, set), "look up elements of \(set.name)") { message in
                let now = MonotonicClock.now()
                guard let list = NetlinkAttributes(message: message).nested(k16(NFTA_SET_ELEM_LIST_ELEMENTS)) else {
                    return
                }
                for item in list {
                    guard let edge = ElementEdge(NetlinkAttributes(item.value), now: now) else { return }
                    if answers.next < piece.endIndex { answers.take(edge) }
                }
            }
            guard code == 0 || code == ENOENT else {
                throw NetlinkError(code: code, action: "look up elements of \(set.name)")
            }
            // The kernel stops at the first that is not there.
            if code == 0 { answers.skip(to: piece.endIndex) } else { answers.skip(to: answers.next + 1) }
        }
        return answers.found
    }

    /// The element that covers an address, if any.
    func element(covering address: UInt128, in set: KernelSet) throws(NetlinkError) -> Segment? {
        var edges: [ElementEdge] = []
        let span = AddressSpan(first: address, last: address)
        let code = try ask(question([span], set), "look up an element of \(set.name)") { message in
            let now = MonotonicClock.now()
            let list = NetlinkAttributes(message: message).nested(k16(NFTA_SET_ELEM_LIST_ELEMENTS))
            for item in list ?? NetlinkAttributes(UnsafeRawBufferPointer(start: nil, count: 0)) {
                if let edge = ElementEdge(NetlinkAttributes(item.value), now: now) { edges.append(edge) }
            }
        }
        guard code == 0 || code == ENOENT else {
            throw NetlinkError(code: code, action: "look up an element of \(set.name)")
        }
        guard let start = edges.first, !start.isEnd, start.key <= address else { return nil }
        guard set.isInterval else { return Segment(start.key, start.key, until: start.deadline) }
        // One that reaches to the last address has no end.
        let last = edges.count > 1 ? edges[1].key - 1 : set.family.highest
        return Segment(start.key, last, until: start.deadline)
    }

    private static let elementsPerQuestion = 512

    private func question(_ spans: ArraySlice<AddressSpan>, _ set: KernelSet) -> [UInt8] {
        NetlinkBatch.lookUp(spans, in: set, number: nextSequence())
    }

    private func forEach(
        _ type: nf_tables_msg_types, _ family: UInt16, _ action: String, _ attributes: (UInt16, String)...,
        body: (NetlinkAttributes) -> Void
    ) throws(NetlinkError) {
        var bytes = request(type, family, flags: Int32(NLM_F_REQUEST | NLM_F_DUMP))
        if let attribute = attributes.first {
            bytes = request(type, family, flags: Int32(NLM_F_REQUEST | NLM_F_DUMP), attribute)
        }
        try dump(bytes, action) { body(NetlinkAttributes(message: $0)) }
    }

    private func request(
        _ type: nf_tables_msg_types, _ family: UInt16, flags: Int32, _ attributes: (UInt16, String)...
    ) -> [UInt8] {
        let room = 4096
        let scratch = UnsafeMutablePointer<CChar>.allocate(capacity: room)
        defer { scratch.deallocate() }
        let header = nftnl_nlmsg_build_hdr(
            scratch, k16(type), family, UInt16(truncatingIfNeeded: flags), nextSequence())
        guard let header else { return [] }
        for (type, value) in attributes { mnl_attr_put_strz(header, type, value) }
        return Array(UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
    }
}

extension KernelTable.Rule {
    init(_ attributes: NetlinkAttributes) {
        mark = attributes[k16(NFTA_RULE_USERDATA)].map { String(decoding: $0, as: UTF8.self) } ?? ""
        expressions = attributes[k16(NFTA_RULE_EXPRESSIONS)].map { Array($0) } ?? []
        guard let list = attributes.nested(k16(NFTA_RULE_EXPRESSIONS)) else { return }
        for item in list {
            let expression = NetlinkAttributes(item.value)
            guard let data = expression.nested(k16(NFTA_EXPR_DATA)) else { continue }
            switch expression.string(k16(NFTA_EXPR_NAME)) {
            case "lookup": data.string(k16(NFTA_LOOKUP_SET)).map { lookups.append($0) }
            case "reject": action = .reject
            case "immediate": action = Self.verdict(data) ?? action
            default: break
            }
        }
    }

    private static func verdict(_ data: NetlinkAttributes) -> KernelTable.Action? {
        let verdict = data.nested(k16(NFTA_IMMEDIATE_DATA))?.nested(k16(NFTA_DATA_VERDICT))
        switch verdict?.u32(k16(NFTA_VERDICT_CODE)) {
        case UInt32(NF_DROP): return .drop
        case UInt32(NF_ACCEPT): return .accept
        default: return nil
        }
    }
}
