import CrowdTestSupport
import Testing

/// `deploy/hub-upgrade`, which the daily timer runs: the services are asked to reload when something has changed.
@Suite("The daily upgrade") struct HubUpgradeScriptTests {
    struct Outcome: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// What `cscli --error hub upgrade` prints and returns.
        var prints: String
        var status: Int32
        var reloads: Bool
    }

    @Test(arguments: [
        Outcome(testDescription: "nothing to do", prints: "", status: 0, reloads: false),
        Outcome(
            testDescription: "data asked for, not changed", prints: "downloading https://example.com/x", status: 0,
            reloads: false),
        Outcome(
            testDescription: "upgraded",
            prints: "downloading scenarios:a/b\n\nRun 'sudo systemctl reload crowdsec' for the new configuration.",
            status: 0, reloads: true),
        Outcome(
            testDescription: "a part of it failed", prints: "Run 'sudo systemctl reload crowdsec' for", status: 1,
            reloads: true),
        Outcome(testDescription: "all of it failed", prints: "", status: 1, reloads: false),
    ])
    func reloadsOnlyAfterAChange(_ outcome: Outcome) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        try directory.write("said", outcome.prints)
        try directory.write(
            "bin/cscli",
            "#!/bin/sh\n[ \"$*\" = '--error hub upgrade' ] || exit 9\ncat \(path)/said\nexit \(outcome.status)\n")
        try directory.write("bin/systemctl", "#!/bin/sh\necho \"$*\" >> \(path)/asked\n")
        try Command.must("chmod +x \(path)/bin/cscli \(path)/bin/systemctl")
        let result = try Command.run([
            "/usr/bin/env", "PATH=\(path)/bin:/usr/bin:/bin", SharedMaterial.packageRoot + "/deploy/hub-upgrade",
        ])
        #expect(result.status == outcome.status, "\(result)")
        #expect(Command.text(path + "/asked") == (outcome.reloads ? "reload crowdsec.service\n" : ""))
    }
}
