import CrowdCore
import CrowdTestSupport
import Glibc
import Synchronization

/// One host: a network namespace, the shipped configuration, and the programs of this build on it. Everything stops
/// and goes away when it is released.
final class TestHost: Sendable {
    /// Namespaces need root and a kernel that lets us.
    static let isPossible: Bool = {
        if NetworkPair.isPossible { return true }
        print("skipped: the suite's tests need root and network namespaces")
        return false
    }()

    private static let count = Atomic(0)

    let directory: TemporaryDirectory
    let space: String
    private let services = Mutex<[Service]>([])

    var path: String { directory.path }
    var configPath: String { path + "/etc/config.yaml" }
    var bouncerConfigPath: String { path + "/etc/bouncers/crowdsec-firewall-bouncer.yaml" }
    /// The log that the agent follows.
    var followed: String { path + "/auth.log" }
    /// What a service wrote into its log file or to its output; survives it.
    func log(_ name: String) -> String { Command.text(path + "/log/" + name) }

    init() throws {
        directory = try TemporaryDirectory()
        let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        space = "cs\(number)-\(getpid() % 100_000)"
        try Command.must("ip netns add \(space)")
        try Command.must("ip -n \(space) link set lo up")
        try configure()
    }

    deinit {
        for service in services.withLock({ $0 }) { service.kill() }
        _ = try? Command.run(["ip", "netns", "del", space])
    }

    // MARK: configuration

    /// The shipped /etc/crowdsec, and in `.local` files what differs here.
    private func configure() throws {
        let root = SharedMaterial.packageRoot + "/deploy"
        try Command.must("cp -r \(root)/etc/crowdsec \(path)/etc")
        try Command.must("cp -r \(root)/var/lib/crowdsec/data \(path)/data")
        mkdir(path + "/log", 0o700)
        for name in ["nginx", "apache2"] { unlink(path + "/etc/acquis.d/\(name).yaml") }
        try directory.write("auth.log", "")
        try follow([followed])
        try localConfig()
    }

    /// What the agent reads.
    func follow(_ files: [String]) throws {
        let list = files.map { "  - \($0)\n" }.joined()
        try directory.write("etc/acquis.yaml", "filenames:\n\(list)labels:\n  type: syslog\n")
    }

    /// Writes `config.yaml.local`.
    ///
    /// - Parameters:
    ///   - database: SQLite's file.
    ///   - databaseSection: all of `db_config` instead.
    ///   - server: more members of `api.server`.
    func localConfig(
        database: String? = nil, databaseSection: String? = nil, parsers: Int = 1, server: String = "",
        extra: String = ""
    ) throws {
        let etc = path + "/etc"
        try directory.write(
            "etc/config.yaml.local",
            """
            common: {log_dir: \(path)/log/}
            config_paths:
              config_dir: \(etc)/
              data_dir: \(path)/data/
              simulation_path: \(etc)/simulation.yaml
              hub_dir: \(etc)/hub/
              index_path: \(etc)/hub/.index.json
              notification_dir: \(etc)/notifications/
              plugin_dir: \(path)/plugins/
            crowdsec_service:
              acquisition_path: \(etc)/acquis.yaml
              acquisition_dir: \(etc)/acquis.d
              parser_routines: \(parsers)
            db_config: \(databaseSection ?? "{db_path: \(database ?? path + "/data/crowdsec.db")}")
            api:
              client: {credentials_path: \(etc)/local_api_credentials.yaml}
              server: {profiles_path: \(etc)/profiles.yaml, console_path: \(etc)/console.yaml, \(server)}
            \(extra)
            """ + "\n")
    }

    /// Registers the machine and the bouncer, as an operator would.
    func register() throws {
        try cscli("machines add edge01 --auto --force --url http://127.0.0.1:8080")
        let key = try cscli("bouncers add firewall -o raw").split(separator: "\n").last.map(String.init) ?? ""
        try writeBouncerConfig(key: key)
    }

    func writeBouncerConfig(key: String) throws {
        try directory.write(
            "etc/bouncers/crowdsec-firewall-bouncer.yaml.local",
            "api_key: \(key)\nlog_dir: \(path)/log/\nstatus_socket: \(path)/status.sock\n"
                + "state_dir: \(path)/state\n")
    }

    // MARK: programs

    func program(_ line: String) -> [String] {
        let words = line.split(separator: " ").map(String.init)
        return ["ip", "netns", "exec", space, Command.built(words[0])] + words.dropFirst()
    }

    /// Runs a Python program on the host.
    func python(_ text: String, seconds: Int = 20) throws -> Command.Result {
        try Command.run(["ip", "netns", "exec", space, "python3", "-c", text], seconds: seconds)
    }

    /// Runs `cscli`, which must succeed; gives its output.
    @discardableResult
    func cscli(_ line: String) throws -> String {
        let result = try tryCscli(line)
        guard result.status == 0 else { throw SupportError("cscli \(line): \(result.status) \(result.output)") }
        return result.output
    }

    func tryCscli(_ line: String) throws -> Command.Result {
        try Command.run(program("cscli -c \(configPath) \(line)"))
    }

    func startLAPI(configuration: String = "config.yaml") throws -> Service {
        try start("crowd-lapi -c \(path)/etc/\(configuration)")
    }
    /// Ready when it follows the log as well: what is written before that is old to it.
    func startAgent(environment: [String: String] = [:]) throws -> Service {
        let before = timesFollowed(followed)
        let agent = try start("crowd-agent -c \(configPath)", environment: environment)
        guard try waits(until: { timesFollowed(followed) > before }) else {
            throw SupportError("\(followed) is not followed")
        }
        return agent
    }
    func startBouncer() throws -> Service { try start("crowd-bouncer -c \(bouncerConfigPath)") }

    /// Starts a service and waits until it says that it is ready.
    private func start(_ line: String, environment: [String: String] = [:]) throws -> Service {
        let service = try Service(program(line), directory: path, environment: environment)
        services.withLock { $0.append(service) }
        guard service.isReady() else {
            throw SupportError("\(line) did not get ready: \(service.output) \(log("crowdsec.log"))")
        }
        return service
    }

    /// Replays a log of the given content through a new agent, printing its alerts.
    func replay(_ lines: [UInt8]) throws -> Command.Result {
        let file = try directory.write("replayed.log", lines)
        return try Command.run(program("crowd-agent -c \(configPath) -dsn file://\(file) -type syslog"), seconds: 40)
    }

    // MARK: looking

    /// The sources of all alerts that the Local API has, one for each alert.
    func alertedSources() throws -> [String] {
        let list = try JSON.parse(Array(cscli("alerts list --limit 0 -o json").utf8))
        return (list.array ?? []).compactMap { $0["source"]?["value"]?.string ?? $0["source"]?["ip"]?.string }
    }

    /// Polls until there is an alert about every one of them; then gives all sources, with repetitions.
    func alerts(about sources: [String], seconds: Int = 20) throws -> [String] {
        var found: [String] = []
        _ = try waits(seconds: seconds) {
            found = (try? alertedSources()) ?? []
            return Set(sources).isSubset(of: found)
        }
        return found
    }

    /// How often the agent has begun to follow a file.
    func timesFollowed(_ file: String) -> Int {
        log("crowdsec.log").split(separator: "\n").count { $0.contains("Adding file \(file) ") }
    }

    func waits(seconds: Int = 10, until condition: () throws -> Bool) throws -> Bool {
        for _ in 0..<(seconds * 20) {
            if try condition() { return true }
            usleep(50_000)
        }
        return false
    }

    /// The kernel's sets of this host.
    func ruleset() throws -> String { try Command.must("ip netns exec \(space) nft list ruleset") }
}
