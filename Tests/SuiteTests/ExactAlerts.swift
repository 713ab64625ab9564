import CrowdCore
import CrowdTestSupport

/// A scenario whose alerts show every line that led to them, so that a lost or repeated one is seen.
enum ExactAlerts {
    /// Six failures of one address within hours. Nothing hides a second alert.
    static let scenario = """
        type: leaky
        name: test/exact
        description: six failures
        filter: evt.Meta.log_type == 'ssh_failed-auth'
        capacity: 5
        leakspeed: 10h
        groupby: evt.Meta.source_ip
        labels: {remediation: true}
        """

    /// One failed login, told apart by the name that was tried.
    static func line(_ source: String, _ number: Int) -> String { AttackLog.failure(of: "u\(number)x", by: source) }

    /// An alert's source and the names that its events show.
    struct Seen: Hashable, Comparable {
        var source: String
        var names: [String]
        static func < (a: Seen, b: Seen) -> Bool { (a.source, a.names.joined()) < (b.source, b.names.joined()) }
    }

    static func seen(in json: JSON) -> [Seen] {
        (json.array ?? []).map { alert in
            var names: [String] = []
            for event in alert["events"]?.array ?? [] {
                for item in event["meta"]?.array ?? [] where item["key"]?.string == "target_user" {
                    names.append(item["value"]?.string ?? "")
                }
            }
            return Seen(source: alert["source"]?["value"]?.string ?? "", names: names.sorted())
        }
    }

    static func makeHost(parsers: Int = 1) throws -> TestHost {
        let host = try TestHost()
        try host.localConfig(parsers: parsers)
        try Command.must("rm -r \(host.path)/etc/scenarios")
        try host.directory.write("etc/scenarios/exact.yaml", scenario)
        try host.register()
        return host
    }
}
