import CrowdTestSupport

/// Packets from one address without pause, and how many of them get past the bouncer's chains: a counter of a table of its
/// own, behind them, sees them.
struct Flood {
    private let stage: PacketStage
    private let source: String
    private let sender: Command

    private static let program = """
        import socket, sys
        source, target = sys.argv[1:]
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind((source, 0))
        n = 0
        while True:
            try:
                s.sendto(b"%d" % n, (target, 9))
            except OSError:
                pass
            n += 1
            if n % 50 == 0:
                import time
                time.sleep(0.005)
        """

    init(_ stage: PacketStage, from source: String) throws {
        self.stage = stage
        self.source = source
        let isV6 = source.contains(":")
        let target = isV6 ? NetworkPair.v6 : NetworkPair.v4
        _ = try stage.network.reaches(from: source)  // gives the attacker the address
        for table in ["behind", "ahead"] {
            let priority = table == "behind" ? "100" : "-400"
            let hook = table == "behind" ? "input" : "prerouting"
            let rule = "\(isV6 ? "ip6" : "ip") saddr \(source) counter"
            let script = try stage.directory.write(
                "\(table).nft",
                """
                table inet \(table) {
                    chain c {
                        type filter hook \(hook) priority \(priority); policy accept;
                        \(rule)
                    }
                }
                """)
            try stage.network.onEdge("nft -f \(script)")
        }
        if isV6 { try Self.introduce(stage.network) }
        sender = try Command(
            ["ip", "netns", "exec", stage.network.attacker, "python3", "-c", Self.program, source, target],
            log: stage.directory.path + "/flood")
    }

    /// Neighbour discovery comes from the banned address too, and is dropped: the attacker knows the edge already.
    private static func introduce(_ network: NetworkPair) throws {
        let words = try network.onEdge("ip -o link show v0").split(separator: " ")
        guard let index = words.firstIndex(of: "link/ether"), index + 1 < words.count else {
            throw SupportError("no link address")
        }
        try Command.must(
            "ip -n \(network.attacker) -6 neigh replace \(NetworkPair.v6) lladdr \(words[index + 1]) dev v0 nud permanent"
        )
    }

    /// Packets that came, and those that got past the bouncer's chains.
    func counts() throws -> (came: Int, past: Int) { (try count("ahead"), try count("behind")) }

    private func count(_ table: String) throws -> Int {
        let words = try stage.network.onEdge("nft list table inet \(table)").split(whereSeparator: {
            " \n".contains($0)
        })
        guard let index = words.firstIndex(of: "packets"), index + 1 < words.count else { return -1 }
        return Int(words[index + 1]) ?? -1
    }

    func end() {
        sender.signal(9)
        sender.wait()
    }
}
