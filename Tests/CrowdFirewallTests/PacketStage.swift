import CrowdTestSupport
import Testing

/// An attacker and an edge with a real bouncer on it, and the Local API it asks.
final class PacketStage: Sendable {
    let directory: TemporaryDirectory
    let network: NetworkPair
    let source: DecisionSource
    let config: String

    init(_ name: String) throws {
        directory = try TemporaryDirectory()
        network = try NetworkPair(name)
        source = DecisionSource(socketPath: directory.path + "/lapi")
        config = try directory.write(
            "bouncer.yaml",
            """
            mode: nftables
            update_frequency: 1s
            api_url: \(directory.path)/lapi
            api_key: key
            log_level: debug
            nftables_hooks: [input, forward]
            verify_interval: 2s
            status_socket: \(directory.path)/status.sock
            """)
    }

    func start() throws -> Command {
        try Command(
            ["ip", "netns", "exec", network.edge, Command.built("crowd-bouncer"), "-c", config],
            log: directory.path + "/log")
    }

    /// Starts with the Local API there and waits until the first answer is in force.
    func enforcing() throws -> Command {
        try source.start()
        let bouncer = try start()
        for _ in 0..<1000 {
            if log.contains("Decisions are in force") { return bouncer }
            sleepMilliseconds(10)
        }
        bouncer.signal(9)
        bouncer.wait()
        throw SupportError("not enforcing: \(log)")
    }

    var log: String { Command.text(directory.path + "/log") }

    /// Lines of the kernel's ruleset that are drop rules.
    func dropRules() throws -> Int {
        try network.onEdge("nft list ruleset").split(separator: "\n").filter { $0.hasSuffix(" drop") }.count
    }

    /// Asks the program a question on the edge: `status`, `verify ADDRESS`.
    func ask(_ question: String) throws -> Command.Result {
        try Command.run(
            ["ip", "netns", "exec", network.edge, Command.built("crowd-bouncer")]
                + question.split(separator: " ").map(String.init) + ["-c", config])
    }

    static func end(_ bouncer: Command) {
        bouncer.signal(15)
        #expect(bouncer.wait() == 0)
    }
}
