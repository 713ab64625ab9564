import CrowdCore
import CrowdStore
import CrowdTestSupport
import Glibc

/// A host with something in every table, and its Local API running on a unix socket.
final class OperatorHost: Sendable {
    let directory: TemporaryDirectory
    private let lapi: CrowdTestSupport.Command
    var path: String { directory.path }
    /// A loopback address that no other run of the tests uses.
    static let metricsAddress: String = {
        let number = getpid()
        return "127.\(1 + (number >> 16)).\(number >> 8 & 255).\(number & 255)"
    }()

    init() throws {
        directory = try TemporaryDirectory()
        let path = directory.path
        try directory.write(
            "config.yaml",
            """
            common: {log_media: stdout, log_dir: \(path)/log, working_dir: .}
            config_paths: {config_dir: \(path), data_dir: \(path)/data}
            crowdsec_service: {acquisition_dir: \(path)/acquis.d}
            cscli: {output: human}
            db_config: {type: sqlite, db_path: \(path)/crowdsec.db, flush: {max_items: 5000, max_age: 7d}}
            api:
              client: {credentials_path: \(path)/credentials.yaml}
              server: {listen_socket: \(path)/lapi.sock, profiles_path: \(path)/profiles.yaml}
            prometheus: {enabled: true, listen_addr: \(Self.metricsAddress), listen_port: 1}
            """)
        try directory.write(
            "profiles.yaml",
            "name: none\nfilters: ['false']\ndecisions: [{type: ban, duration: 4h}]\non_success: break\n")
        try directory.write("simulation.yaml", "simulation: false\nexclusions: [a/one]\n")
        try directory.write("console/context.yaml", "source_ip: [evt.Meta.source_ip]\n")
        try Self.writeHub(in: directory)
        let log = path + "/lapi.log"
        try directory.write("lapi.log", "")
        let cscli = [CrowdTestSupport.Command.built("cscli"), "-c", path + "/config.yaml"]
        func run(_ words: [String]) throws {
            let result = try CrowdTestSupport.Command.run(cscli + words)
            guard result.status == 0 else { throw SupportError("cscli \(words): \(result)") }
        }
        try run([
            "machines", "add", "edge01", "-p", "secret", "-u", path + "/lapi.sock", "-f", path + "/credentials.yaml",
        ])
        lapi = try CrowdTestSupport.Command(
            [CrowdTestSupport.Command.built("crowd-lapi"), "-c", path + "/config.yaml"], log: log)
        try waitForSocket(log)
        try run(["lapi", "register", "--machine", "web02", "-u", path + "/lapi.sock", "-f", path + "/web02.yaml"])
        try run(["bouncers", "add", "firewall", "-k", "key"])
        try run(["allowlists", "create", "office", "-d", "our own"])
        try run(["allowlists", "add", "office", "192.0.2.0/24", "-d", "the LAN"])
        // Seconds in the middle of a minute: what is left has the same width for a while.
        try run(["decisions", "add", "-i", "198.51.100.1", "-d", "4h30m50s", "-R", "by hand"])
        try run(["decisions", "add", "-r", "203.0.113.0/24", "-d", "12h30m50s", "-t", "captcha", "-R", "a whole range"])
        try run([
            "decisions", "add", "--scope", "Country", "-v", "XX", "-d", "12h30m50s", "-R", "a country, with a comma",
        ])
        try addUsageMetrics()
    }

    deinit {
        lapi.signal(15)
        lapi.wait()
    }

    private func waitForSocket(_ log: String) throws {
        for _ in 0..<400 {
            if FileContents.exists(path + "/lapi.sock") { return }
            sleepMilliseconds(50)
        }
        throw SupportError("crowd-lapi did not start: \(CrowdTestSupport.Command.text(log))")
    }

    /// Two scenarios and a collection, installed, one of them changed; and a local one.
    private static func writeHub(in directory: TemporaryDirectory) throws {
        func item(_ path: String, _ text: String, _ rest: String = "") -> String {
            let digest = Hex.encode(Digest.sha256(Array(text.utf8)))
            return #"{"path":"\#(path)","version":"0.2","author":"a","description":"About \#(path)","versions":"#
                + #"{"0.1":{"digest":"00"},"0.2":{"digest":"\#(digest)"}}\#(rest)}"#
        }
        try directory.write(
            "hub/.index.json",
            """
            {"parsers":{"a/logs":\(item("parsers/s01-parse/a/logs.yaml", "name: a/logs\n", #","stage":"s01-parse""#))},
             "scenarios":{"a/one":\(item("scenarios/a/one.yaml", "name: a/one\n")),
                          "a/two":\(item("scenarios/a/two.yaml", "name: a/two\n"))},
             "collections":{"a/all":\(item("collections/a/all.yaml", "x\n", #","scenarios":["a/one","a/two"]"#))}}
            """)
        for (path, text) in [
            ("scenarios/a/one.yaml", "name: a/one\n# mine\n"), ("scenarios/a/two.yaml", "name: a/two\n"),
            ("collections/a/all.yaml", "x\n"),
        ] {
            try directory.write("hub/\(path)", text)
            let parts = path.split(separator: "/")
            let link = "\(directory.path)/\(parts[0])"
            try CrowdTestSupport.Command.must("mkdir -p \(link)")
            try CrowdTestSupport.Command.must("ln -s \(directory.path)/hub/\(path) \(link)/\(parts[2])")
        }
        try directory.write("parsers/s02-enrich/own.yaml", "name: me/own\nwhitelist: {reason: mine, ip: [192.0.2.1]}\n")
    }

    private func addUsageMetrics() throws {
        let database = try SQLiteConnection.open(SQLiteSettings(path: path + "/crowdsec.db", useWAL: true))
        let now = Timestamp.now()
        let bouncer = """
            {"type":"crowdsec-firewall-bouncer","metrics":[{"meta":{"window_size_seconds":900,
            "utc_now_timestamp":\(now.seconds)},"items":[
            {"name":"active_decisions","value":51936,"unit":"ip","labels":{"origin":"CAPI","ip_type":"ipv4"}},
            {"name":"active_decisions","value":64,"unit":"ip","labels":{"origin":"CAPI","ip_type":"ipv6"}},
            {"name":"active_decisions","value":1,"unit":"ip","labels":{"origin":"cscli","ip_type":"ipv4"}},
            {"name":"dropped","value":3800,"unit":"byte","labels":{"origin":"CAPI","ip_type":"ipv4"}},
            {"name":"dropped","value":380,"unit":"packet","labels":{"origin":"lists:anti-scan","ip_type":"ipv4"}},
            {"name":"processed","value":123456789,"unit":"byte","labels":{"ip_type":"ipv4"}}]}]}
            """
        let machine = """
            {"metrics":[{"meta":{"window_size_seconds":1800,"utc_now_timestamp":\(now.seconds)},"items":[
            {"name":"read","value":5000,"unit":"line","labels":{"datasource_type":"file","source":"/var/log/auth.log","acquis_type":"syslog"}},
            {"name":"global_parsed","value":4000,"unit":"line","labels":{"datasource_type":"file","source":"/var/log/auth.log","acquis_type":"syslog"}},
            {"name":"parsed","value":4000,"unit":"line","labels":{"datasource_type":"file","source":"/var/log/auth.log","acquis_type":"syslog","parser_name":"a/logs","parser_stage":"s01-parse"}},
            {"name":"parsed","value":7,"unit":"line","labels":{"parser_name":"a/rdns","parser_stage":"s00-enrich"}}]}]}
            """
        for _ in 0..<2 {
            try UsageMetricQueries.insert(
                .remediationComponent, from: "firewall", payload: bouncer, at: now, in: database)
        }
        try UsageMetricQueries.insert(.logProcessor, from: "edge01", payload: machine, at: now, in: database)
    }
}
