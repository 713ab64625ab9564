import CrowdTestSupport
import Testing

/// An attacker and an edge with a real bouncer on it, and the Local API it asks.
final class PacketStage: Sendable {
    let directory: TemporaryDirectory
    let network: NetworkPair
    let source: DecisionSource
    let config: String

    /// - Parameter settings: keys of the configuration in place of, or beside, the usual ones.
    init(_ name: String, _ settings: [String: String] = [:]) throws {
        directory = try TemporaryDirectory()
        network = try NetworkPair(name)
        source = DecisionSource(socketPath: directory.path + "/lapi")
        var keys = [
            "mode": "nftables", "update_frequency": "1s", "api_url": "\(directory.path)/lapi", "api_key": "key",
            "log_level": "debug", "nftables_hooks": "[input, forward]", "verify_interval": "2s",
            "status_socket": "\(directory.path)/status.sock", "state_dir": "\(directory.path)/state",
        ]
        keys.merge(settings) { $1 }
        let lines = keys.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }
        config = try directory.write("bouncer.yaml", lines.joined())
    }

    func start(environment: [String: String] = [:]) throws -> Command {
        try Command(
            ["ip", "netns", "exec", network.edge, Command.built("crowd-bouncer"), "-c", config],
            log: directory.path + "/log", environment: environment)
    }

    /// Starts with the Local API there and waits until the first answer is in force.
    ///
    /// - Parameter starting: whether the Local API has yet to be started.
    func enforcing(starting: Bool = true) throws -> Command {
        if starting { try source.start() }
        let before = log.utf8.count
        let bouncer = try start()
        for _ in 0..<1000 {
            if log.utf8.dropFirst(before).contains("Decisions are in force".utf8) { return bouncer }
            sleepMilliseconds(10)
        }
        bouncer.signal(9)
        bouncer.wait()
        throw SupportError("not enforcing: \(log)")
    }

    /// Polls until the log says so, as often as that.
    func says(_ text: String, times: Int = 1, seconds: Int = 10) -> Bool {
        for _ in 0..<(seconds * 100) {
            if log.split(separator: "\n").count(where: { $0.contains(text) }) >= times { return true }
            sleepMilliseconds(10)
        }
        return false
    }

    /// Polls until `status` exits with 0, that is until what is decided is enforced; its last answer.
    func proven(seconds: Int = 10) throws -> Command.Result {
        var answer = try ask("status")
        for _ in 0..<(seconds * 10) where answer.status != 0 {
            sleepMilliseconds(100)
            answer = try ask("status")
        }
        return answer
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
