import CrowdCore
import CrowdTestSupport
import Testing

@Suite("Alert context") struct ContextTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(
            "config.yaml", "config_paths: {data_dir: \(directory.path)/data}\ncrowdsec_service: {}\n")
        try directory.write("contexts/base.yaml", "name: a/base\ncontext:\n  user: [evt.Meta.target_user]\n")
        try directory.write(
            "parsers/s02-enrich/d.yaml",
            """
            name: a/dates
            statics:
              - {meta: timestamp, expression: evt.Enriched.MarshaledTime}
              - {target: evt.MarshaledTime, expression: evt.Enriched.MarshaledTime}
            nodes:
              - grok: {pattern: "^%{IP:source_ip}$", apply_on: message}
            """)
    }

    private func cscli(_ line: String) throws -> Command.Result {
        try Command.run(
            [Command.built("cscli"), "-c", directory.path + "/config.yaml"]
                + line.split(separator: " ").map(String.init))
    }

    @Test func addAndStatus() throws {
        #expect(try cscli("lapi context status").output == "user:\n  - evt.Meta.target_user\n")
        let added = try cscli("lapi context add --key ip --value evt.Meta.a,evt.Meta.b")
        #expect(
            added.output.contains("key 'ip' added") && added.output.contains("value 'evt.Meta.b' added to key 'ip'"))
        #expect(try cscli("lapi context add --value evt.Meta.source_ip").status == 0)
        #expect(
            Command.text(directory.path + "/console/context.yaml")
                == "ip:\n  - evt.Meta.a\n  - evt.Meta.b\nsource_ip:\n  - evt.Meta.source_ip\n")
        #expect(
            try JSON.parse(Array(cscli("lapi context status -o json").output.utf8))["user"]?.array
                == [.string("evt.Meta.target_user")])
        let wrong = try cscli("lapi context add --key x --value evt.Nothing")
        #expect(wrong.status == 1 && wrong.output.contains("invalid context configuration: "))
        #expect(try cscli("lapi context add --key x").output.contains("required flag(s) \"value\" not set"))
        #expect(try cscli("lapi context delete").output.contains("please manually edit \(directory.path)/console/"))
    }

    @Test func detect() throws {
        let own = "a/dates:\n\n  - evt.MarshaledTime\n  - evt.Meta.timestamp\n  - evt.Parsed.source_ip\n\n"
        #expect(try cscli("lapi context detect a/dates").output == own)
        #expect(
            try cscli("lapi context detect -a").output
                == "Acquisition:\n\n  - evt.Line.Module\n  - evt.Line.Raw\n  - evt.Line.Src\n\n" + own)
        #expect(try cscli("lapi context detect a/none").output.contains("parser 'a/none' not found"))
    }

    @Test func withoutAgentOrContext() throws {
        try directory.write("contexts/base.yaml", "name: a/base\n")
        #expect(try cscli("lapi context status").output.hasPrefix("No context found on this agent."))
        try directory.write("config.yaml", "config_paths: {data_dir: \(directory.path)/data}\n")
        let refusal = try cscli("lapi context status")
        #expect(refusal.output.contains("agent is disabled and lapi context can only be used on the agent"))
    }
}
