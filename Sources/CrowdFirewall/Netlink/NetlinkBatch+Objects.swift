internal import CNetfilterSystem

/// Tables, chains, sets, counters and rules, written through libnftnl.
extension NetlinkBatch {
    private static var create: Int32 { Int32(NLM_F_CREATE | NLM_F_ACK) }

    mutating func createTable(_ name: String, _ family: Family) {
        guard let table = nftnl_table_alloc() else { return }
        defer { nftnl_table_free(table) }
        nftnl_table_set_str(table, k16(NFTNL_TABLE_NAME), name)
        add(k16(NFT_MSG_NEWTABLE), family.netfilter, flags: Self.create) { nftnl_table_nlmsg_build_payload($0, table) }
    }

    mutating func deleteTable(_ name: String, _ family: Family) {
        guard let table = nftnl_table_alloc() else { return }
        defer { nftnl_table_free(table) }
        nftnl_table_set_str(table, k16(NFTNL_TABLE_NAME), name)
        add(k16(NFT_MSG_DELTABLE), family.netfilter, flags: Int32(NLM_F_ACK)) {
            nftnl_table_nlmsg_build_payload($0, table)
        }
    }

    mutating func createChain(_ chain: ChainLayout, in table: String, _ family: Family) {
        guard let object = nftnl_chain_alloc() else { return }
        defer { nftnl_chain_free(object) }
        nftnl_chain_set_str(object, k16(NFTNL_CHAIN_TABLE), table)
        nftnl_chain_set_str(object, k16(NFTNL_CHAIN_NAME), chain.name)
        nftnl_chain_set_str(object, k16(NFTNL_CHAIN_TYPE), "filter")
        nftnl_chain_set_u32(object, k16(NFTNL_CHAIN_HOOKNUM), chain.hook)
        nftnl_chain_set_s32(object, k16(NFTNL_CHAIN_PRIO), chain.priority)
        nftnl_chain_set_u32(object, k16(NFTNL_CHAIN_POLICY), UInt32(NF_ACCEPT))
        add(k16(NFT_MSG_NEWCHAIN), family.netfilter, flags: Self.create) { nftnl_chain_nlmsg_build_payload($0, object) }
    }

    mutating func deleteChain(_ name: String, in table: String, _ family: Family) {
        guard let object = nftnl_chain_alloc() else { return }
        defer { nftnl_chain_free(object) }
        nftnl_chain_set_str(object, k16(NFTNL_CHAIN_TABLE), table)
        nftnl_chain_set_str(object, k16(NFTNL_CHAIN_NAME), name)
        add(k16(NFT_MSG_DELCHAIN), family.netfilter, flags: Int32(NLM_F_ACK)) {
            nftnl_chain_nlmsg_build_payload($0, object)
        }
    }

    /// - Parameter id: any number, once per transaction.
    mutating func createSet(_ set: KernelSet, id: UInt32) {
        guard let object = nftnl_set_alloc() else { return }
        defer { nftnl_set_free(object) }
        nftnl_set_set_str(object, k16(NFTNL_SET_TABLE), set.table)
        nftnl_set_set_str(object, k16(NFTNL_SET_NAME), set.name)
        nftnl_set_set_u32(object, k16(NFTNL_SET_ID), id)
        nftnl_set_set_u32(object, k16(NFTNL_SET_FAMILY), UInt32(set.family.netfilter))
        nftnl_set_set_u32(object, k16(NFTNL_SET_FLAGS), set.flags)
        nftnl_set_set_u32(object, k16(NFTNL_SET_KEY_TYPE), set.family.keyType)
        nftnl_set_set_u32(object, k16(NFTNL_SET_KEY_LEN), UInt32(set.family.width))
        add(k16(NFT_MSG_NEWSET), set.tableFamily, flags: Self.create) { nftnl_set_nlmsg_build_payload($0, object) }
    }

    mutating func deleteSet(_ name: String, in table: String, _ family: Family) {
        guard let object = nftnl_set_alloc() else { return }
        defer { nftnl_set_free(object) }
        nftnl_set_set_str(object, k16(NFTNL_SET_TABLE), table)
        nftnl_set_set_str(object, k16(NFTNL_SET_NAME), name)
        add(k16(NFT_MSG_DELSET), family.netfilter, flags: Int32(NLM_F_ACK)) {
            nftnl_set_nlmsg_build_payload($0, object)
        }
    }

    /// Deletes all elements.
    mutating func flushSet(_ set: KernelSet) {
        add(k16(NFT_MSG_DELSETELEM), set.tableFamily, flags: Int32(NLM_F_ACK)) { header in
            mnl_attr_put_strz(header, k16(NFTA_SET_ELEM_LIST_TABLE), set.table)
            mnl_attr_put_strz(header, k16(NFTA_SET_ELEM_LIST_SET), set.name)
        }
    }

    mutating func createCounter(_ name: String, in table: String, _ family: Family) {
        guard let object = nftnl_obj_alloc() else { return }
        defer { nftnl_obj_free(object) }
        nftnl_obj_set_str(object, k16(NFTNL_OBJ_TABLE), table)
        nftnl_obj_set_str(object, k16(NFTNL_OBJ_NAME), name)
        nftnl_obj_set_u32(object, k16(NFTNL_OBJ_TYPE), UInt32(NFT_OBJECT_COUNTER))
        add(k16(NFT_MSG_NEWOBJ), family.netfilter, flags: Self.create) { nftnl_obj_nlmsg_build_payload($0, object) }
    }

    /// Deletes all rules of a chain.
    mutating func flushChain(_ name: String, in table: String, _ family: Family) {
        guard let rule = nftnl_rule_alloc() else { return }
        defer { nftnl_rule_free(rule) }
        nftnl_rule_set_str(rule, k16(NFTNL_RULE_TABLE), table)
        nftnl_rule_set_str(rule, k16(NFTNL_RULE_CHAIN), name)
        add(k16(NFT_MSG_DELRULE), family.netfilter, flags: Int32(NLM_F_ACK)) {
            nftnl_rule_nlmsg_build_payload($0, rule)
        }
    }

    /// Appends a rule to a chain.
    mutating func appendRule(_ layout: RuleLayout, to chain: String, in table: String, _ family: Family) {
        guard let rule = nftnl_rule_alloc() else { return }
        defer { nftnl_rule_free(rule) }
        nftnl_rule_set_str(rule, k16(NFTNL_RULE_TABLE), table)
        nftnl_rule_set_str(rule, k16(NFTNL_RULE_CHAIN), chain)
        let mark = Array(layout.mark.utf8.prefix(128))
        nftnl_rule_set_data(rule, k16(NFTNL_RULE_USERDATA), mark, UInt32(mark.count))
        for expression in layout.expressions {
            for made in expression.make(family) { nftnl_rule_add_expr(rule, made) }
        }
        let flags = Int32(NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK)
        add(k16(NFT_MSG_NEWRULE), family.netfilter, flags: flags) { nftnl_rule_nlmsg_build_payload($0, rule) }
    }
}

extension KernelSet {
    var flags: UInt32 { k32(NFT_SET_TIMEOUT) | (isInterval ? k32(NFT_SET_INTERVAL) : 0) }
}

extension RuleLayout.Expression {
    /// The libnftnl expressions; owned by the rule they are added to.
    fileprivate func make(_ family: Family) -> [OpaquePointer] {
        switch self {
        case .isTCP: [Self.loadProtocol(), Self.equals(UInt8(truncatingIfNeeded: Int(IPPROTO_TCP)))].compactMap(\.self)
        default: [one(family)].compactMap(\.self)
        }
    }

    private func one(_ family: Family) -> OpaquePointer? {
        switch self {
        case .isTCP: nil
        case .loadSource: Self.loadSource(family)
        case .inSet(let name): Self.inSet(name)
        case .count(let name): Self.count(name)
        case .log(let prefix): Self.log(prefix)
        case .accept: Self.verdict(UInt32(NF_ACCEPT))
        case .drop: Self.verdict(UInt32(NF_DROP))
        case .reject: Self.reject(k32(NFT_REJECT_ICMP_UNREACH), code: family.rejectCode)
        case .resetTCP: Self.reject(k32(NFT_REJECT_TCP_RST), code: 0)
        }
    }

    private static func loadProtocol() -> OpaquePointer? {
        let expression = nftnl_expr_alloc("meta")
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_META_KEY), k32(NFT_META_L4PROTO))
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_META_DREG), k32(NFT_REG_1))
        return expression
    }

    private static func equals(_ value: UInt8) -> OpaquePointer? {
        let expression = nftnl_expr_alloc("cmp")
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_CMP_SREG), k32(NFT_REG_1))
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_CMP_OP), k32(NFT_CMP_EQ))
        withUnsafePointer(to: value) { _ = nftnl_expr_set(expression, k16(NFTNL_EXPR_CMP_DATA), $0, 1) }
        return expression
    }

    private static func loadSource(_ family: Family) -> OpaquePointer? {
        let expression = nftnl_expr_alloc("payload")
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_PAYLOAD_BASE), k32(NFT_PAYLOAD_NETWORK_HEADER))
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_PAYLOAD_OFFSET), family.sourceOffset)
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_PAYLOAD_LEN), UInt32(family.width))
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_PAYLOAD_DREG), k32(NFT_REG_1))
        return expression
    }

    private static func inSet(_ name: String) -> OpaquePointer? {
        let expression = nftnl_expr_alloc("lookup")
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_LOOKUP_SREG), k32(NFT_REG_1))
        nftnl_expr_set_str(expression, k16(NFTNL_EXPR_LOOKUP_SET), name)
        return expression
    }

    private static func count(_ name: String) -> OpaquePointer? {
        let expression = nftnl_expr_alloc("objref")
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_OBJREF_IMM_TYPE), UInt32(NFT_OBJECT_COUNTER))
        nftnl_expr_set_str(expression, k16(NFTNL_EXPR_OBJREF_IMM_NAME), name)
        return expression
    }

    private static func log(_ prefix: String) -> OpaquePointer? {
        let expression = nftnl_expr_alloc("log")
        nftnl_expr_set_str(expression, k16(NFTNL_EXPR_LOG_PREFIX), prefix)
        return expression
    }

    private static func verdict(_ code: UInt32) -> OpaquePointer? {
        let expression = nftnl_expr_alloc("immediate")
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_IMM_DREG), k32(NFT_REG_VERDICT))
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_IMM_VERDICT), code)
        return expression
    }

    private static func reject(_ type: UInt32, code: UInt8) -> OpaquePointer? {
        let expression = nftnl_expr_alloc("reject")
        nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_REJECT_TYPE), type)
        nftnl_expr_set_u8(expression, k16(NFTNL_EXPR_REJECT_CODE), code)
        return expression
    }
}
