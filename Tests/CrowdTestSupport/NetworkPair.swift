internal import Glibc
internal import Synchronization

/// Two network namespaces joined by a veth pair, an attacker and an edge; removed when released.
public final class NetworkPair: Sendable {
    public let attacker: String
    public let edge: String
    /// The edge's addresses.
    public static let v4 = "10.77.0.1"
    public static let v6 = "fd77::1"

    /// Whether this process may make namespaces and packet filters: root, and not in a container that forbids it.
    public static let isPossible: Bool = {
        guard isRoot else { return false }
        let probe = "tp-\(getpid() % 100_000)"
        guard (try? Command.run(["ip", "netns", "add", probe]))?.status == 0 else { return false }
        let filter = try? Command.run(["ip", "netns", "exec", probe, "nft", "list", "ruleset"])
        _ = try? Command.run(["ip", "netns", "del", probe])
        return filter?.status == 0
    }()

    /// Suites run beside each other and may choose the same names.
    private static let made = Atomic(0)

    public init(_ name: String) throws {
        let number = Self.made.add(1, ordering: .relaxed).newValue
        let suffix = "\(name)\(number)-\(getpid() % 100_000)"
        attacker = "ta-\(suffix)"
        edge = "te-\(suffix)"
        for space in [attacker, edge] {
            try Command.must("ip netns add \(space)")
            try Command.must("ip -n \(space) link set lo up")
        }
        try Command.must("ip -n \(attacker) link add v0 type veth peer name v0 netns \(edge)")
        for (space, host) in [(edge, "1"), (attacker, "2")] {
            try Command.must("ip -n \(space) addr add 10.77.0.\(host)/24 dev v0")
            try Command.must("ip -n \(space) addr add fd77::\(host)/64 dev v0 nodad")
            try Command.must("ip -n \(space) link set v0 up")
        }
        try Command.must("ip -n \(edge) route add default via 10.77.0.2")
        try Command.must("ip -n \(edge) route add default via fd77::2")
    }

    deinit {
        for space in [attacker, edge] { _ = try? Command.run(["ip", "netns", "del", space]) }
    }

    /// How an attempt to connect to the edge's port 9 ends.
    public enum Connection: Sendable { case accepted, refused, silent }

    /// Whether a TCP packet from `source` gets into the edge: a refused connection says yes, silence says no.
    public func reaches(from source: String) throws -> Bool { try connects(from: source) != .silent }

    public func connects(from source: String) throws -> Connection {
        let isV6 = source.contains(":")
        let target = isV6 ? Self.v6 : Self.v4
        _ = try Command.run(
            ["ip", "-n", attacker, "addr", "add", source + (isV6 ? "/128" : "/32"), "dev", "v0"]
                + (isV6 ? ["nodad"] : []))
        try Command.must(
            "ip -n \(attacker) \(isV6 ? "-6 " : "")route replace \(target)\(isV6 ? "/128" : "/32") dev v0 src \(source)"
        )
        let probe = "exec 3<>/dev/tcp/\(target)/9"
        switch try Command.run(["ip", "netns", "exec", attacker, "timeout", "0.4", "bash", "-c", probe]).status {
        case 0: return .accepted
        case 124: return .silent
        default: return .refused
        }
    }

    /// Polls until packets from `source` are dropped or get in, as `wanted` says; false after `seconds`.
    public func waits(from source: String, reaches wanted: Bool, seconds: Int = 8) throws -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        repeat {
            if try reaches(from: source) == wanted { return true }
            usleep(50_000)
        } while ContinuousClock.now < end
        return false
    }

    /// Runs a program in the edge's namespace.
    @discardableResult
    public func onEdge(_ line: String) throws -> String { try Command.must("ip netns exec \(edge) \(line)") }
}
