import CrowdCore
import CrowdTestSupport
import Testing

@Suite("What commands print", .serialized) struct OutputSnapshotTests {
    /// The file's name and the command.
    static let commands: [(name: String, line: String)] = [
        ("alerts-list", "alerts list -m"), ("alerts-inspect", "alerts inspect 1 -d"),
        ("alerts-list-none", "alerts list -i 192.0.2.77"), ("decisions-list", "decisions list -m"),
        ("decisions-list-none", "decisions list -v 192.0.2.77"), ("machines-list", "machines list"),
        ("machines-inspect", "machines inspect edge01"), ("bouncers-list", "bouncers list"),
        ("bouncers-inspect", "bouncers inspect firewall"), ("allowlists-list", "allowlists list"),
        ("allowlists-inspect", "allowlists inspect office"),
        ("allowlists-check", "allowlists check 192.0.2.9 198.51.100.9"),
        ("lapi-status", "lapi status"), ("lapi-context-status", "lapi context status"),
        ("simulation-status", "simulation status"), ("config-show", "config show"),
        ("config-show-key", "config show --key Config.API.Server"), ("config-show-yaml", "config show-yaml"),
        ("hub-list", "hub list"), ("hub-list-all", "hub list -a"), ("hub-search", "hub search logs"),
        ("hub-types", "hub types"), ("hub-branch", "hub branch"), ("scenarios-list", "scenarios list"),
        ("scenarios-inspect", "scenarios inspect a/one --no-metrics"), ("collections-list", "collections list -a"),
        ("scenarios-remove-dry-run", "scenarios remove a/one a/two --force --dry-run"),
        ("parsers-install-dry-run", "parsers install a/logs --dry-run"),
        ("metrics-list", "metrics list"), ("metrics-show-bouncers", "metrics show bouncers"),
        ("metrics-show-stash", "metrics show stash"),
        ("config-show-expression", "config show --key Config.API.Server.Enable==nil"),
        ("config-show-expression-wrong", "config show --key len(Config"),
        ("config-show-login", "config show --key Config.API.Client.Credentials.Login"),
        ("machines-add-no-name", "machines add"), ("decisions-list-no-range", "decisions list -r 192.0.2.1"),
        ("lapi-register-bad-url", "lapi register -u http://127.0.0.1:-80"),
        ("setup-validate", "setup validate /dev/null"), ("unknown", "machines frobnicate"),
        ("unknown-root", "alertss"), ("unknown-topic", "help frobnicate"),
    ]

    @Test func everyCommandInThreeOutputs() throws {
        let host = try OperatorHost()
        for (name, line) in Self.commands {
            var text = ""
            for output in ["human", "json", "raw"] {
                let words = line.split(separator: " ").map(String.init) + ["-o", output]
                let result = try Command.run([Command.built("cscli"), "-c", host.path + "/config.yaml"] + words)
                text += "$ cscli \(words.joined(separator: " "))\n\(result.output)[\(result.status)]\n\n"
            }
            let seen = Snapshot.normalized(text, host.path).replacing(OperatorHost.metricsAddress, with: "127.0.0.1")
            try Snapshot.expect(seen, name)
        }
    }
}
