import CrowdTestSupport
import Testing

/// What is done with a packet, where, and with which rights.
@Suite("Actions", .serialized, .enabled(if: NetworkPair.isPossible, "needs network namespaces"))
struct ActionTests {
    private static let server = """
        import socket, threading
        def serve(family, host):
            s = socket.socket(family, socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((host, 9))
            s.listen(64)
            while True:
                s.accept()
        threading.Thread(target=serve, args=(socket.AF_INET, "10.77.0.1")).start()
        serve(socket.AF_INET6, "fd77::1")
        """

    private func listener(_ stage: PacketStage) throws -> Command {
        let server = try Command(["ip", "netns", "exec", stage.network.edge, "python3", "-c", Self.server])
        for _ in 0..<200 {
            if try stage.network.connects(from: "10.77.0.2") == .accepted { return server }
            sleepMilliseconds(20)
        }
        throw SupportError("nobody listens")
    }

    /// What the attacker's host has been told of: ICMP messages "destination unreachable".
    private func unreachables(_ stage: PacketStage) throws -> Int {
        let text = try Command.must("ip netns exec \(stage.network.attacker) cat /proc/net/snmp")
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("Icmp: ") }.map { $0.split(separator: " ") }
        guard rows.count == 2, let column = rows[0].firstIndex(of: "InDestUnreachs") else { return -1 }
        return Int(rows[1][column]) ?? -1
    }

    @Test(arguments: [
        ("DROP", "icmp", NetworkPair.Connection.silent, false), ("REJECT", "tcp-reset", .refused, false),
        ("reject", "icmp", .silent, true),
    ])
    func aBannedConnectionMeets(
        _ action: String, _ with: String, _ outcome: NetworkPair.Connection, _ isTold: Bool
    ) throws {
        let stage = try PacketStage("a", ["deny_action": action, "reject_with": with, "deny_log": "true"])
        stage.source.ban("203.0.113.1", "1h")
        stage.source.ban("2001:db8:1::/64", "1h")
        let bouncer = try stage.enforcing()
        let server = try listener(stage)
        defer {
            server.signal(9)
            server.wait()
        }
        let before = try unreachables(stage)
        // Linux goes on trying after a message, other systems give up.
        #expect(try stage.network.connects(from: "203.0.113.1") == outcome)
        #expect(try (unreachables(stage) > before) == isTold)
        #expect(try stage.network.connects(from: "203.0.113.2") == .accepted)
        #expect(try stage.network.connects(from: "2001:db8:1::1") != .accepted)
        #expect(try stage.network.onEdge("nft list ruleset").contains(#"log prefix "crowdsec drop: ""#))
        #expect(try stage.ask("verify 203.0.113.1").output.contains("meets \(action.lowercased()):"))
        #expect(try stage.proven().status == 0)
        PacketStage.end(bouncer)
    }

    /// The bouncer's host forwards: containers and networks behind it are protected by the hook `forward`.
    @Test(arguments: [("[input, forward]", false), ("[input]", true), ("[prerouting]", false)])
    func whatIsBehindTheHostIsProtectedByHook(_ hooks: String, _ getsThrough: Bool) throws {
        let stage = try PacketStage("fw", ["nftables_hooks": hooks])
        stage.source.ban("203.0.113.1", "1h")
        let inner = try Behind(stage.network)
        let bouncer = try stage.enforcing()
        #expect(try inner.isReached(from: "203.0.113.2"))
        #expect(try inner.isReached(from: "203.0.113.1") == getsThrough)
        PacketStage.end(bouncer)
    }

    @Test func netAdminIsAllItNeeds() throws {
        let stage = try PacketStage("c", ["allowlist": "[203.0.113.2]"])
        stage.source.ban("203.0.113.0/30", "1h")
        try stage.source.start()
        let bouncer = try Command(
            [
                "ip", "netns", "exec", stage.network.edge, "setpriv", "--bounding-set=-all,+net_admin",
                "--inh-caps=-all", "--no-new-privs", Command.built("crowd-bouncer"), "-c", stage.config,
            ], log: stage.directory.path + "/log")
        #expect(stage.says("Decisions are in force"), "\(stage.log)")
        #expect(try !stage.network.reaches(from: "203.0.113.1"))
        #expect(try stage.network.reaches(from: "203.0.113.2"))
        #expect(!stage.log.contains("level=warning") && !stage.log.contains("level=error"), "\(stage.log)")
        PacketStage.end(bouncer)
    }

    /// Somebody else's firewall accepts what is established before it looks into the set.
    @Test func aSessionThatWasAcceptedBeforeTheBanEnds() throws {
        let stage = try PacketStage(
            "es", ["nftables": "{ipv4: {set-only: true, table: edge}, ipv6: {enabled: false}}"])
        let table = """
            table ip edge {
                set crowdsec-blacklists {
                    type ipv4_addr
                    flags interval,timeout
                }
                chain c {
                    type filter hook input priority 0; policy accept;
                    ct state established accept
                    ip saddr @crowdsec-blacklists drop
                }
            }
            """
        try stage.network.onEdge("nft -f \(stage.directory.write("edge.nft", table))")
        let bouncer = try stage.enforcing()
        let session = try Session(stage, from: "203.0.113.1")
        defer { session.end() }
        #expect(try session.goesOn())
        stage.source.ban("203.0.113.1", "1h")
        #expect(stage.says("Connections of banned addresses cut"), "\(stage.log)")
        sleepMilliseconds(100)
        #expect(try !session.goesOn())
        PacketStage.end(bouncer)
    }
}

/// A host behind the edge.
private final class Behind: Sendable {
    private let network: NetworkPair
    private let name: String

    init(_ network: NetworkPair) throws {
        self.network = network
        name = "tb" + network.edge.dropFirst(2)
        try Command.must("ip netns add \(name)")
        try Command.must("ip -n \(network.edge) link add v1 type veth peer name v1 netns \(name)")
        try Command.must("ip -n \(network.edge) addr add 10.78.0.1/24 dev v1")
        try Command.must("ip -n \(network.edge) link set v1 up")
        try Command.must("ip -n \(name) link set lo up")
        try Command.must("ip -n \(name) addr add 10.78.0.2/24 dev v1")
        try Command.must("ip -n \(name) link set v1 up")
        try Command.must("ip -n \(name) route add default via 10.78.0.1")
        try network.onEdge("sysctl -q -w net.ipv4.ip_forward=1")
    }

    deinit { _ = try? Command.run(["ip", "netns", "del", name]) }

    func isReached(from source: String) throws -> Bool {
        _ = try network.reaches(from: source)
        try Command.must("ip -n \(network.attacker) route replace 10.78.0.0/24 via 10.77.0.1 dev v0 src \(source)")
        let probe = "exec 3<>/dev/tcp/10.78.0.2/9"
        return try Command.run(
            ["ip", "netns", "exec", network.attacker, "timeout", "0.6", "bash", "-c", probe]
        ).status != 124
    }
}

/// A TCP session that sends a byte every 20 ms, and a count of those that arrive.
private final class Session: Sendable {
    private let stage: PacketStage
    private let server: Command
    private let client: Command

    private static let receiving = """
        import socket, sys
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("10.77.0.1", 4242))
        s.listen()
        peer, _ = s.accept()
        while True:
            data = peer.recv(1)
            if not data:
                break
            with open(sys.argv[1], "ab") as f:
                f.write(data)
        """
    private static let sending = """
        import socket, sys, time
        for _ in range(200):
            try:
                s = socket.create_connection(("10.77.0.1", 4242), 1, (sys.argv[1], 0))
                break
            except OSError:
                time.sleep(0.02)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            s.send(b"x")
            time.sleep(0.02)
        """

    init(_ stage: PacketStage, from source: String) throws {
        self.stage = stage
        _ = try stage.network.reaches(from: source)
        server = try Command([
            "ip", "netns", "exec", stage.network.edge, "python3", "-c", Self.receiving,
            stage.directory.path + "/received",
        ])
        client = try Command([
            "ip", "netns", "exec", stage.network.attacker, "python3", "-c", Self.sending, source,
        ])
        for _ in 0..<500 where received == 0 { sleepMilliseconds(10) }
    }

    private var received: Int { Command.text(stage.directory.path + "/received").utf8.count }

    func goesOn() throws -> Bool {
        let before = received
        for _ in 0..<100 {
            if received > before { return true }
            sleepMilliseconds(10)
        }
        return false
    }

    func end() {
        for command in [client, server] {
            command.signal(9)
            command.wait()
        }
    }
}
