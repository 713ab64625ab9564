import CrowdCore
import CrowdTestSupport
import Testing

@Suite("A hub from a server", .enabled(if: SharedMaterial.path("hub") != nil)) struct HubLifeTests {
    @Test func installTaintUpgradeRemove() throws {
        let server = try HubServer(["crowdsecurity/sshd", "crowdsecurity/linux"])
        let host = try HubHost(server)
        #expect(try host.cscli("hub update").contains("Downloading \(host.path)/hub/.index.json\n"))
        #expect(try host.cscli("hub update").contains("Nothing to do, the hub index is up to date."))
        #expect(try host.cscli("hub list").contains("No items to display"))

        let dry = try host.cscli("collections install crowdsecurity/linux --dry-run")
        #expect(dry.hasPrefix("Action plan:\n📥 download\n parsers: crowdsecurity/dateparse-enrich (0.9), "))
        #expect(dry.hasSuffix("\n\nDry run, no action taken.\n"))
        #expect(!host.exists("collections"))

        let install = try host.cscli("collections install crowdsecurity/linux")
        #expect(install.contains("\ndownloading parsers:crowdsecurity/sshd-logs\n"))
        #expect(install.contains("\nenabling collections:crowdsecurity/linux\n"))
        let hint = "Run 'sudo systemctl reload crowdsec' for the new configuration to be effective."
        #expect(install.hasSuffix("\n\n\(hint)\n"))
        #expect(host.read("data/GeoLite2-City.mmdb").contains("192.0.2.1"))
        #expect(try host.cscli("collections install crowdsecurity/linux") == "Nothing to install or remove.\n")
        #expect(try host.statuses("collections")["crowdsecurity/sshd"] == "enabled")

        let name = "hub/scenarios/crowdsecurity/ssh-bf.yaml"
        try host.directory.append(name, "\n# mine\n")
        #expect(try host.statuses("scenarios")["crowdsecurity/ssh-bf"] == "enabled,tainted")
        #expect(try host.statuses("collections")["crowdsecurity/linux"] == "enabled,tainted")
        #expect(try host.cscli("scenarios inspect crowdsecurity/ssh-bf --diff").contains("\n-# mine\n"))

        server.publish("scenarios", "crowdsecurity/ssh-bf", version: "0.10", appending: "\n# newer\n")
        server.publish("scenarios", "crowdsecurity/ssh-slow-bf", version: "0.10", appending: "\n# newer\n")
        try host.cscli("hub update")
        #expect(try host.statuses("scenarios")["crowdsecurity/ssh-slow-bf"] == "enabled,update-available")
        let upgrade = try host.cscli("hub upgrade")
        #expect(upgrade.contains(" scenarios: crowdsecurity/ssh-slow-bf (0.9 -> 0.10)\n"))
        #expect(upgrade.contains("scenarios:crowdsecurity/ssh-bf is tainted, use '--force' to overwrite"))
        #expect(host.read(name).hasSuffix("# mine\n"), "what the operator changed stays")
        try host.cscli("scenarios upgrade crowdsecurity/ssh-bf --force")
        #expect(host.read("scenarios/ssh-bf.yaml").hasSuffix("# newer\n"))
        #expect(try host.statuses("collections")["crowdsecurity/linux"] == "enabled")

        let kept = try host.cscli("scenarios remove crowdsecurity/ssh-bf")
        #expect(kept.contains("crowdsecurity/ssh-bf belongs to collections: [crowdsecurity/linux crowdsecurity/sshd]"))
        #expect(kept.contains("Nothing to install or remove."))
        try host.cscli("collections remove crowdsecurity/linux --purge")
        #expect(try host.cscli("hub list -o raw") == "name,status,version,description,type\n")
        #expect(host.tree("hub").isEmpty)
    }

    @Test func aRemovedItemTaintsItsCollection() throws {
        let host = try HubHost(HubServer(["crowdsecurity/sshd"]), installing: "crowdsecurity/sshd")
        try host.cscli("scenarios remove crowdsecurity/ssh-bf --force")
        let list = try host.cscli("hub list")
        #expect(list.contains("crowdsecurity/sshd is tainted by missing scenarios:crowdsecurity/ssh-bf"))
        #expect(list.contains("Unmanaged items: 0 local, 1 tainted"))
    }

    @Test func localItemsAreLeftAlone() throws {
        let host = try HubHost(HubServer(["crowdsecurity/sshd"]), installing: "crowdsecurity/sshd")
        try host.directory.write("scenarios/foobar.yaml", "")
        try host.directory.write("parsers/s01-parse/deep/own.yaml", "name: me/own\n")
        #expect(try host.statuses("scenarios")["foobar.yaml"] == "enabled,local")
        #expect(try host.statuses("parsers")["me/own"] == "enabled,local")
        let removal = try host.cscli("scenarios remove foobar.yaml --force --purge")
        #expect(removal.contains("scenarios:foobar.yaml is a local item, please delete manually"))
        #expect(try host.cscli("scenarios install foobar.yaml").contains("not downloading local item"))
        try host.cscli("scenarios remove --all --force")
        #expect(host.exists("scenarios/foobar.yaml") && !host.exists("scenarios/ssh-bf.yaml"))
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var line: String
        var error: String
        var testDescription: String { line }
    }

    @Test(arguments: [
        Refusal(line: "parsers install foo/bar", error: "cscli parsers install: can't find 'foo/bar' in parsers"),
        Refusal(
            line: "parsers install crowdsecurity/sshd-logz",
            error: "can't find 'crowdsecurity/sshd-logz' in parsers, did you mean 'crowdsecurity/sshd-logs'?"),
        Refusal(line: "parsers install", error: "requires at least 1 arg(s), only received 0"),
        Refusal(line: "parsers remove", error: "specify at least one parser to remove or '--all'"),
        Refusal(line: "appsec-rules upgrade", error: "specify at least one appsec-rule to upgrade or '--all'"),
        Refusal(
            line: "parsers install crowdsecurity/sshd-logs --dry-run -i",
            error: "if any flags in the group [interactive dry-run] are set none of the others can be; "
                + "[dry-run interactive] were all set"),
        Refusal(
            line: "hub list --status new",
            error: "invalid status \"new\" (valid values: installed, up-to-date, outdated, tainted, local, "
                + "not-installed)"),
        Refusal(line: "scenarios list a/b", error: "item(s) not found in scenarios: a/b"),
    ])
    func refuses(_ refusal: Refusal) throws {
        let host = try HubHost(HubServer(["crowdsecurity/sshd"]))
        try host.cscli("hub update")
        #expect(try host.cscli(refusal.line, 1).contains(refusal.error))
    }

    @Test func anUnknownBranchLeavesTheIndex() throws {
        let server = try HubServer(["crowdsecurity/sshd"])
        let host = try HubHost(server)
        try host.cscli("hub update")
        let refusal = try host.cscli("hub update --branch nowhere", 1)
        #expect(refusal.contains("failed to update hub: bad http code 404 for \(server.url)nowhere/.index.json"))
        #expect(try host.cscli("hub branch") == "master\n")
        try host.cscli("hub list")
    }
}

extension HubHost {
    convenience init(_ server: HubServer, installing collection: String) throws {
        try self.init(server)
        try cscli("hub update")
        try cscli("collections install \(collection)")
    }
}
