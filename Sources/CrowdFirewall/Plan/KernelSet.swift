/// A set in the kernel.
struct KernelSet: Hashable, Sendable {
    enum Kind: Sendable {
        /// Single addresses; a change costs the same whatever its size.
        case hash
        /// Intervals that do not overlap: two entries per element.
        case interval
        /// ipset's `hash:net`: prefixes, of which an address is one.
        case prefixes
    }

    var family: Family
    /// Netlink's number of the table's family: a table of family `inet` may hold sets of either.
    var tableFamily: UInt16
    var table: String
    var name: String
    var kind: Kind
    /// Holds what is never dropped.
    var isProtected = false

    var isInterval: Bool { kind == .interval }
}

/// What a kernel set should hold.
enum SetContent: Equatable, Sendable {
    case hosts([UInt128: Deadline])
    /// Sorted, free of overlap.
    case cover([Segment])

    /// Elements that are not over.
    func count(now: Deadline) -> Int {
        switch self {
        case .hosts(let hosts): hosts.count { $0.value > now }
        case .cover(let segments): segments.count { $0.deadline > now }
        }
    }

    /// Elements, those that are over included.
    var count: Int {
        switch self {
        case .hosts(let hosts): hosts.count
        case .cover(let segments): segments.count
        }
    }

    /// All of them, one by one, in any order.
    var segments: AnyIterator<Segment> {
        switch self {
        case .hosts(let hosts):
            var rest = hosts.makeIterator()
            return AnyIterator { rest.next().map { Segment($0.key, $0.key, until: $0.value) } }
        case .cover(let segments): return AnyIterator(segments.makeIterator())
        }
    }

    /// From what the kernel has to this.
    func plan(from actual: [Segment], now: Deadline, _ closeness: Closeness) -> ElementPlan {
        switch self {
        case .hosts(let hosts): .from(actual, to: hosts, now: now, closeness)
        case .cover(let segments):
            .from(actual.filter { $0.deadline > now }, to: segments.filter { $0.deadline > now }, closeness)
        }
    }
}

/// How sets are named: nftables' names have 255 bytes, ipset's 31.
enum SetNaming: Sendable {
    case nftables, ipset

    private static let ipsetLimit = 31

    var rangeSuffix: String { self == .nftables ? SetName.rangeSuffix : "-r" }

    /// Longest name of an origin.
    func longest(prefixes: [String]) -> Int {
        guard self == .ipset else { return SetName.longest }
        return Self.ipsetLimit - 1 - rangeSuffix.utf8.count - (prefixes.map(\.utf8.count).max() ?? 0)
    }

    func hosts(prefix: String, origin: String) -> String { "\(prefix)-\(origin)" }
    func ranges(prefix: String, origin: String) -> String { "\(prefix)-\(origin)\(rangeSuffix)" }

    /// ipset's sets are in one namespace for both families.
    func protected(prefix: String) -> String { self == .nftables ? TableLayout.protectedSet : prefix + "+allow" }

    /// The origin that a kernel set's name stands for; `nil` if the set is not one of ours.
    func origin(of name: String, prefix: String) -> String? {
        guard name.hasPrefix(prefix + "-") else { return nil }
        let rest = name.dropFirst(prefix.utf8.count + 1)
        let origin = rest.hasSuffix(rangeSuffix) ? rest.dropLast(rangeSuffix.utf8.count) : rest
        return origin.isEmpty ? nil : String(origin)
    }
}
