internal import CNetfilterSystem
public import CrowdCore

/// What the kernel would do with a packet from an address, as far as this configuration's tables go: read from the
/// kernel, whatever the bouncer believes.
public struct PacketVerdict: Equatable, Sendable {
    public let address: IPAddress
    /// The kernel's element that covers the address, and its set; nil when none does.
    public private(set) var match: Match?
    /// The address is accepted before any ban is looked at.
    public private(set) var isAllowlisted = false

    public struct Match: Equatable, Sendable {
        public var table: String
        public var set: String
        /// `203.0.113.9`, or `203.0.113.0-203.0.113.255`.
        public var element: String
        /// When it ends; nil: never.
        public var until: Timestamp?
        /// Chains that have a rule for the set: without one the packet gets in.
        public var chains: [String]
        /// `drop`, `reject`, or `none` where no rule looks into the set.
        public var action: String
    }

    public var isDropped: Bool { match.map { !$0.chains.isEmpty } ?? false }

    /// Reads the kernel. The first set in the order of the rules decides.
    ///
    /// - Throws: `ConfigError` when the kernel does not let us.
    public init(for address: IPAddress, _ config: FirewallConfig) throws(ConfigError) {
        do {
            try self.init(for: address, config, filter: try FirewallBouncer.kernelFilter(config))
        } catch {
            throw ConfigError("nftables: \(error)")
        }
    }

    init(for address: IPAddress, _ config: FirewallConfig, filter: any PacketFilter) throws(NetlinkError) {
        self.address = address.unmapped
        let family: Family = self.address.isV6 ? .v6 : .v4
        let layout = try filter.located(TableLayout(config, family))
        let table = try filter.table(layout)
        for set in Self.sets(table, layout) {
            guard let segment = try Self.segment(covering: self.address, set, table, filter) else { continue }
            let rules = Self.rules(table, set)
            if set.isProtected {
                isAllowlisted = !rules.isEmpty
                if isAllowlisted { return }
                continue
            }
            let found = Match(
                table: "\(Self.label(layout.tableFamily)) \(layout.table)", set: set.name,
                element: segment.span.text(family), until: Self.time(segment.deadline),
                chains: rules.map(\.chain), action: rules.first?.action.rawValue ?? "none")
            if match == nil || !found.chains.isEmpty { match = found }
            if isDropped { return }
        }
    }

    /// Our sets that are there, in the order in which rules look into them.
    private static func sets(_ table: KernelTable, _ layout: TableLayout) -> [KernelSet] {
        guard !layout.isSetOnly else { return table.sets[layout.single.name] == nil ? [] : [layout.single] }
        let order = table.chains.values.flatMap { $0.rules.flatMap(\.lookups) }
        let places = Dictionary(order.enumerated().map { ($1, $0) }) { first, _ in first }
        let sets = table.sets.keys.compactMap { name -> KernelSet? in
            if name == layout.protected.name { return layout.protected }
            guard let origin = layout.naming.origin(of: name, prefix: layout.setPrefix) else { return nil }
            return name == layout.hosts(origin).name ? layout.hosts(origin) : layout.ranges(origin)
        }
        return sets.sorted { (places[$0.name] ?? .max, $0.name) < (places[$1.name] ?? .max, $1.name) }
    }

    /// Chains with a rule that looks into a set and decides, sorted.
    private static func rules(
        _ table: KernelTable, _ set: KernelSet
    ) -> [(chain: String, action: KernelTable.Action)] {
        table.chains.sorted { $0.key < $1.key }.compactMap { name, chain in
            let rule = chain.rules.first { $0.lookups.contains(set.name) && $0.action != nil }
            guard let action = rule?.action, set.isProtected == (action == .accept) else { return nil }
            return (name, action)
        }
    }

    private static func label(_ family: UInt16) -> String {
        switch family {
        case Family.v4.netfilter: "ip"
        case Family.v6.netfilter: "ip6"
        case UInt16(NFPROTO_INET): "inet"
        default: "family \(family)"
        }
    }

    private static func segment(
        covering address: IPAddress, _ set: KernelSet, _ table: KernelTable, _ filter: any PacketFilter
    ) throws(NetlinkError) -> Segment? {
        let (_, span) = AddressSpan.of(IPRange(address))
        // Large sets are asked, not read.
        guard table.sets[set.name]?.count == nil || set.kind == .prefixes else {
            return try filter.element(covering: span.first, in: set)
        }
        let now = MonotonicClock.now()
        let segments = try filter.elements(of: set)
        return segments.first { $0.span.first <= span.first && span.first <= $0.span.last && $0.deadline > now }
    }

    private static func time(_ deadline: Deadline) -> Timestamp? {
        guard deadline < .max / 2 else { return nil }
        return .now() + .milliseconds(deadline - MonotonicClock.now())
    }

    /// One sentence.
    public var text: String {
        if isAllowlisted { return "\(address) is not dropped: it is allowlisted" }
        guard let match else { return "\(address) is not dropped: no set of ours holds it" }
        let until = match.until.map { "until \($0.rfc3339)" } ?? "for ever"
        let place = "table \(match.table), set \(match.set), element \(match.element), \(until)"
        return isDropped
            ? "\(address) meets \(match.action): \(place), rule in \(match.chains.joined(separator: ", "))"
            : "\(address) is not dropped: no rule looks into the set that holds it: \(place)"
    }

    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("address")
        writer.string(address.description)
        writer.key("dropped")
        writer.bool(isDropped)
        writer.member("allowlisted", isAllowlisted)
        if let match {
            for (key, value) in [
                ("table", match.table), ("set", match.set), ("element", match.element), ("action", match.action),
                ("until", match.until?.rfc3339 ?? ""),
            ] {
                writer.key(key)
                writer.string(value)
            }
            writer.key("chains")
            writer.beginArray()
            for chain in match.chains { writer.string(chain) }
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes
    }
}
