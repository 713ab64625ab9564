internal import CrowdCore

/// Keys that the reference does not have, and those of its other modes.
extension FirewallConfig {
    private static let setNameLimit = 31

    mutating func readIptables(_ yaml: inout TrackedMapping) throws(ConfigError) {
        iptables.common = try chains("iptables_chains", &yaml)
        iptables.v4 = try chains("iptables_v4_chains", &yaml)
        iptables.v6 = try chains("iptables_v6_chains", &yaml)
        iptables.addComments = try yaml.take("iptables_add_rule_comments")?.bool() ?? true
        if let node = yaml.take("ipset_type") {
            iptables.setType = try node.string()
            guard ["nethash", "hash:net"].contains(iptables.setType) || mode != .iptables else {
                throw ConfigError("ipset_type '\(iptables.setType)' holds no ranges: use nethash", at: node.mark)
            }
        }
        if let node = yaml.take("ipset_size") {
            iptables.setSize = try node.int()
            guard iptables.setSize > 0 else { throw ConfigError("ipset_size must be positive", at: node.mark) }
        }
        if let node = yaml.take("ipset_disable_timeouts"), try node.bool(), mode == .iptables || mode == .ipset {
            throw ConfigError(
                "ipset_disable_timeouts is not supported: a ban would outlive its time when the bouncer is not there",
                at: node.mark)
        }
        guard mode == .iptables || mode == .ipset else { return }
        let longest = mode == .ipset ? Self.setNameLimit : 20
        for prefix in [v4.setPrefix, v6.setPrefix] where prefix.utf8.count > longest {
            throw ConfigError("set name '\(prefix)' is too long for ipset: at most \(longest) bytes")
        }
    }

    /// Names that cannot be taken for an option of `iptables`.
    private func chains(_ key: String, _ yaml: inout TrackedMapping) throws(ConfigError) -> [String] {
        guard let list = yaml.take(key) else { return [] }
        var names: [String] = []
        for node in try list.sequence() {
            let name = try node.string()
            let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
            guard isPlain, !name.isEmpty, !name.hasPrefix("-"), name.utf8.count < 29 else {
                throw ConfigError("\(key): '\(name)' is no chain name", at: node.mark)
            }
            names.append(name)
        }
        return names
    }

    mutating func readOurs(_ yaml: inout TrackedMapping) throws(ConfigError) {
        onStop = try yaml.choice("on_stop") ?? onStop
        rejectWith = try yaml.choice("reject_with") ?? rejectWith
        outagePolicy = try yaml.choice("outage_policy") ?? outagePolicy
        statusSocket = try yaml.text("status_socket") ?? statusSocket
        if let node = yaml.take("verify_interval") { verifyInterval = max(.seconds(1), try node.duration()) }
        if let node = yaml.take("outage_after") { outageAfter = max(.seconds(1), try node.duration()) }
        if let node = yaml.take("resync_interval") { resyncInterval = max(.zero, try node.duration()) }
        if let node = yaml.take("state_dir") {
            let path = try node.string()
            stateDirectory = path.isEmpty ? nil : path
        }
        cutsConnections = try yaml.take("cut_connections")?.bool() ?? cutsConnections
        usesLocalAPIAllowlists = try yaml.take("lapi_allowlists")?.bool() ?? usesLocalAPIAllowlists
        guard let list = yaml.take("allowlist") else { return }
        for node in try list.sequence() {
            let text = try node.string()
            guard let range = IPRange(text) else {
                throw ConfigError("allowlist: '\(text)' is neither address nor range", at: node.mark)
            }
            allowlist.append(range)
        }
    }
}
