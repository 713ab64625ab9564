public import CrowdCore

/// What the kernel would do with a packet from an address, as far as this configuration's tables go: read from the
/// kernel, whatever the bouncer believes.
public struct PacketVerdict: Equatable, Sendable {
    public let address: IPAddress
    /// The kernel's element that covers the address, and its set; nil when none does.
    public private(set) var match: Match?

    public struct Match: Equatable, Sendable {
        public var table: String
        public var set: String
        /// `203.0.113.9`, or `203.0.113.0-203.0.113.255`.
        public var element: String
        /// When it ends; nil: never.
        public var until: Timestamp?
        /// Chains that have a rule for the set: without one the packet gets in.
        public var chains: [String]
        /// `drop` or `reject`.
        public var action: String
    }

    public var isDropped: Bool { match.map { !$0.chains.isEmpty } ?? false }

    /// Reads the kernel. The first set in the order of the rules decides.
    ///
    /// - Throws: `ConfigError` when the kernel does not let us.
    public init(for address: IPAddress, _ config: FirewallConfig) throws(ConfigError) {
        do {
            try self.init(for: address, config, filter: try NftablesFilter())
        } catch {
            throw ConfigError("nftables: \(error)")
        }
    }

    init(for address: IPAddress, _ config: FirewallConfig, filter: any PacketFilter) throws(NetlinkError) {
        self.address = address.unmapped
        let family: Family = self.address.isV6 ? .v6 : .v4
        var layout = TableLayout(config, family)
        let table = try filter.table(layout)
        let order = table.chains.values.flatMap { $0.rules.map(\.mark) }
        let places = Dictionary(order.enumerated().map { ($1, $0) }) { first, _ in first }
        for name in table.sets.keys.sorted(by: { (places[$0] ?? .max, $0) < (places[$1] ?? .max, $1) }) {
            guard let origin = SetName.origin(of: name, prefix: layout.setPrefix) else { continue }
            _ = layout.insert(origin: origin)
            let set = name == layout.hosts(origin).name ? layout.hosts(origin) : layout.ranges(origin)
            guard let segment = try Self.segment(covering: self.address, filter.elements(of: set)) else { continue }
            let found = Match(
                table: "\(family == .v4 ? "ip" : "ip6") \(layout.table)", set: name,
                element: segment.span.text(family), until: Self.time(segment.deadline),
                chains: table.chains.filter { $0.value.rules.contains { $0.mark == name } }.map(\.key).sorted(),
                action: config.denyAction == .drop ? "drop" : "reject")
            if match == nil || !found.chains.isEmpty { match = found }
            if isDropped { return }
        }
    }

    private static func segment(covering address: IPAddress, _ segments: [Segment]) -> Segment? {
        guard let range = IPRange(address.description) else { return nil }
        let (_, span) = AddressSpan.of(range)
        let now = MonotonicClock.now()
        return segments.first { $0.span.first <= span.first && span.first <= $0.span.last && $0.deadline > now }
    }

    private static func time(_ deadline: Deadline) -> Timestamp? {
        guard deadline < .max / 2 else { return nil }
        return .now() + .milliseconds(deadline - MonotonicClock.now())
    }

    /// One sentence.
    public var text: String {
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
