internal import CNetfilterSystem

/// Tables, chains, sets, counters and rules, written through libnftnl.
extension NetlinkBatch {
    private static var create: Int32 { Int32(NLM_F_CREATE | NLM_F_ACK) }

    mutating func createTable(_ name: String, _ family: Family) {
        guard let table = nftnl_table_alloc() else { return }
        defer { nftnl_table_free(table) }
        nftnl_table_set_str(table, k16(NFTNL_TABLE_NAME), name)
        add(k16(NFT_MSG_NEWTABLE), family, flags: Self.create) { nftnl_table_nlmsg_build_payload($0, table) }
    }

    mutating func deleteTable(_ name: String, _ family: Family) {
        guard let table = nftnl_table_alloc() else { return }
        defer { nftnl_table_free(table) }
        nftnl_table_set_str(table, k16(NFTNL_TABLE_NAME), name)
        add(k16(NFT_MSG_DELTABLE), family, flags: Int32(NLM_F_ACK)) { nftnl_table_nlmsg_build_payload($0, table) }
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
        add(k16(NFT_MSG_NEWCHAIN), family, flags: Self.create) { nftnl_chain_nlmsg_build_payload($0, object) }
    }

    mutating func deleteChain(_ name: String, in table: String, _ family: Family) {
        guard let object = nftnl_chain_alloc() else { return }
        defer { nftnl_chain_free(object) }
        nftnl_chain_set_str(object, k16(NFTNL_CHAIN_TABLE), table)
        nftnl_chain_set_str(object, k16(NFTNL_CHAIN_NAME), name)
        add(k16(NFT_MSG_DELCHAIN), family, flags: Int32(NLM_F_ACK)) { nftnl_chain_nlmsg_build_payload($0, object) }
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
        add(k16(NFT_MSG_NEWSET), set.family, flags: Self.create) { nftnl_set_nlmsg_build_payload($0, object) }
    }

    mutating func deleteSet(_ name: String, in table: String, _ family: Family) {
        guard let object = nftnl_set_alloc() else { return }
        defer { nftnl_set_free(object) }
        nftnl_set_set_str(object, k16(NFTNL_SET_TABLE), table)
        nftnl_set_set_str(object, k16(NFTNL_SET_NAME), name)
        add(k16(NFT_MSG_DELSET), family, flags: Int32(NLM_F_ACK)) { nftnl_set_nlmsg_build_payload($0, object) }
    }

    mutating func createCounter(_ name: String, in table: String, _ family: Family) {
        guard let object = nftnl_obj_alloc() else { return }
        defer { nftnl_obj_free(object) }
        nftnl_obj_set_str(object, k16(NFTNL_OBJ_TABLE), table)
        nftnl_obj_set_str(object, k16(NFTNL_OBJ_NAME), name)
        nftnl_obj_set_u32(object, k16(NFTNL_OBJ_TYPE), UInt32(NFT_OBJECT_COUNTER))
        add(k16(NFT_MSG_NEWOBJ), family, flags: Self.create) { nftnl_obj_nlmsg_build_payload($0, object) }
    }

    /// Deletes all rules of a chain.
    mutating func flushChain(_ name: String, in table: String, _ family: Family) {
        guard let rule = nftnl_rule_alloc() else { return }
        defer { nftnl_rule_free(rule) }
        nftnl_rule_set_str(rule, k16(NFTNL_RULE_TABLE), table)
        nftnl_rule_set_str(rule, k16(NFTNL_RULE_CHAIN), name)
        add(k16(NFT_MSG_DELRULE), family, flags: Int32(NLM_F_ACK)) { nftnl_rule_nlmsg_build_payload($0, rule) }
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
            if let made = expression.make(family) { nftnl_rule_add_expr(rule, made) }
        }
        let flags = Int32(NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK)
        add(k16(NFT_MSG_NEWRULE), family, flags: flags) { nftnl_rule_nlmsg_build_payload($0, rule) }
    }
}

extension KernelSet {
    var flags: UInt32 { k32(NFT_SET_TIMEOUT) | (isInterval ? k32(NFT_SET_INTERVAL) : 0) }
}

extension RuleLayout.Expression {
    /// The libnftnl expression; owned by the rule it is added to.
    fileprivate func make(_ family: Family) -> OpaquePointer? {
        switch self {
        case .loadSource:
            let expression = nftnl_expr_alloc("payload")
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_PAYLOAD_BASE), k32(NFT_PAYLOAD_NETWORK_HEADER))
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_PAYLOAD_OFFSET), family.sourceOffset)
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_PAYLOAD_LEN), UInt32(family.width))
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_PAYLOAD_DREG), k32(NFT_REG_1))
            return expression
        case .inSet(let name):
            let expression = nftnl_expr_alloc("lookup")
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_LOOKUP_SREG), k32(NFT_REG_1))
            nftnl_expr_set_str(expression, k16(NFTNL_EXPR_LOOKUP_SET), name)
            return expression
        case .count(let name):
            let expression = nftnl_expr_alloc("objref")
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_OBJREF_IMM_TYPE), UInt32(NFT_OBJECT_COUNTER))
            nftnl_expr_set_str(expression, k16(NFTNL_EXPR_OBJREF_IMM_NAME), name)
            return expression
        case .log(let prefix):
            let expression = nftnl_expr_alloc("log")
            nftnl_expr_set_str(expression, k16(NFTNL_EXPR_LOG_PREFIX), prefix)
            return expression
        case .drop:
            let expression = nftnl_expr_alloc("immediate")
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_IMM_DREG), k32(NFT_REG_VERDICT))
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_IMM_VERDICT), UInt32(NF_DROP))
            return expression
        case .reject:
            let expression = nftnl_expr_alloc("reject")
            nftnl_expr_set_u32(expression, k16(NFTNL_EXPR_REJECT_TYPE), k32(NFT_REJECT_ICMP_UNREACH))
            nftnl_expr_set_u8(expression, k16(NFTNL_EXPR_REJECT_CODE), family.rejectCode)
            return expression
        }
    }
}
