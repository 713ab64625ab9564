import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

/// Alerts say which version of a hub item saw them; of the operator's own they say nothing.
@Suite("Alerts of hub items", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct HubItemTests {
    private func scenario(_ name: String) -> String {
        """
        type: leaky
        name: \(name)
        description: six failures
        filter: evt.Meta.log_type == 'ssh_failed-auth'
        capacity: 5
        leakspeed: 10h
        groupby: evt.Meta.source_ip

        """
    }

    @Test func hashAndVersion() throws {
        let host = try TestHost()
        try Command.must("rm -r \(host.path)/etc/scenarios")
        mkdir(host.path + "/etc/scenarios", 0o755)
        let text = scenario("team/managed")
        let digest = Hex.encode(Digest.sha256(Array(text.utf8)))
        let file = try host.directory.write("etc/hub/scenarios/team/managed.yaml", text)
        symlink(file, host.path + "/etc/scenarios/managed.yaml")
        try host.directory.write("etc/scenarios/own.yaml", scenario("me/own"))
        try host.directory.write(
            "etc/hub/.index.json",
            """
            {"scenarios": {"team/managed": {"path": "scenarios/team/managed.yaml", "version": "0.2", "author": "team",
             "versions": {"0.1": {"digest": "\(String(repeating: "0", count: 64))"}, "0.2": {"digest": "\(digest)"}}}}}
            """)
        try host.register()
        _ = [try host.startLAPI(), try host.startAgent()]
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.7"), to: host.followed)
        var found: [String: [String]] = [:]
        _ = try host.waits {
            for alert in try JSON.parse(Array(host.cscli("alerts list -o json").utf8)).array ?? [] {
                found[alert["scenario"]?.string ?? ""] =
                    ["scenario_hash", "scenario_version"].map { alert[$0]?.string ?? "nil" }
            }
            return found.count == 2
        }
        #expect(found == ["team/managed": [digest, "0.2"], "me/own": ["", ""]])
    }
}
