import CrowdTestSupport
import Testing

@Suite("The whole path, real processes", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct WholePathTests {
    @Test func aLogLineBecomesABanInTheKernelUntilItIsDeleted() throws {
        let host = try TestHost()
        try host.register()
        let services = [try host.startLAPI(), try host.startBouncer(), try host.startAgent()]
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.7"), to: host.followed)
        #expect(try host.waits { try host.ruleset().contains("198.51.100.7") })
        #expect(try host.cscli("decisions list -o json").contains("crowd/ssh-bf"))
        try host.cscli("decisions add --ip 2001:db8::7")
        #expect(try host.waits { try host.ruleset().contains("2001:db8::7") })
        try host.cscli("decisions delete --ip 198.51.100.7")
        #expect(try host.waits { try !host.ruleset().contains("198.51.100.7") })
        #expect(services.reversed().map { $0.stop() } == [0, 0, 0])
        #expect(try host.ruleset().contains("2001:db8::7"), "the sets outlive the bouncer")
    }

    @Test func reloadTakesWhatIsGoodAndRefusesWhatIsNot() throws {
        let host = try TestHost()
        try host.register()
        let lapi = try host.startLAPI()
        let bouncer = try host.startBouncer()
        let agent = try host.startAgent()

        try host.directory.write("second.log", "")
        try host.follow([host.followed, host.path + "/second.log"])
        #expect(agent.reload() && host.log("crowdsec.log").contains("Configuration reloaded"))
        #expect(try host.waits { host.timesFollowed(host.path + "/second.log") == 1 })
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.8"), to: host.path + "/second.log")
        #expect(try host.alerts(about: ["198.51.100.8"]).count == 1)

        try host.localConfig(extra: "nosuchkey: 1")
        try host.directory.write("etc/bouncers/crowdsec-firewall-bouncer.yaml.local", "mode: [nftables\n")
        #expect(agent.reload() && lapi.reload() && bouncer.reload())
        for (file, message) in [
            ("crowdsec.log", "Reload failed.*nosuchkey"), ("crowdsec-lapi.log", "Reload failed.*nosuchkey"),
            ("crowdsec-firewall-bouncer.log", "not reloaded.*crowdsec-firewall-bouncer"),
        ] {
            #expect(try host.log(file).contains(Regex(message)), "\(file): \(host.log(file))")
        }
        try host.localConfig()
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.9"), to: host.followed)
        #expect(try host.waits { try host.ruleset().contains("198.51.100.9") }, "the old configuration stays in force")
    }

    @Test func theLocalAPIsLogsFollowItsConfiguration() throws {
        let host = try TestHost()
        try host.register()
        let lapi = try host.startLAPI()
        func ask(_ path: String) throws {
            let question = "curl -s -w %{http_code} http://127.0.0.1:8080/\(path)"
            let answer = try host.python("import os; os.system('\(question)')")
            #expect(answer.output.contains("404"))
        }
        try ask("first")
        try host.localConfig(server: "log_level: error")
        #expect(lapi.reload())
        try ask("second")
        try Command.must("mv \(host.path)/log/crowdsec_api.log \(host.path)/log/moved.log")
        try host.localConfig()
        #expect(lapi.reload())
        try ask("third")
        let (moved, fresh) = (host.log("moved.log"), host.log("crowdsec_api.log"))
        #expect(moved.contains("GET /first ") && !moved.contains("GET /second ") && !moved.contains("GET /third "))
        #expect(fresh.contains("GET /third ") && !fresh.contains("GET /second "))
    }
}
