import CrowdTestSupport
import Testing

/// `cscli explain` in the reference's words: its tools' users know them by heart.
@Suite("Explaining a line") struct ExplainTests {
    private static let line = "Dec 10 07:13:43 web01 sshd[1]: Failed password for root from 192.168.2.76 port 4 ssh2"

    /// The starter content's tree, with times of day of this test replaced by a word.
    private func explain(_ arguments: [String]) throws -> Command.Result {
        let directory = try TemporaryDirectory()
        let deploy = SharedMaterial.packageRoot + "/deploy"
        let paths = "{config_dir: \(deploy)/etc/crowdsec, data_dir: \(deploy)/var/lib/crowdsec/data}"
        try directory.write("config.yaml", "config_paths: \(paths)\n")
        var result = try Command.run(
            [Command.built("cscli"), "-c", directory.path + "/config.yaml", "explain"] + arguments)
        result.output = result.output.replacing(
            try Regex(#"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000 UTC"#), with: "NOW")
        return result
    }

    @Test func everyChange() throws {
        let result = try explain(["-t", "syslog", "-v", "-l", Self.line])
        let year = try #require(result.output.firstMatch(of: try Regex(#"MarshaledTime : (20\d\d)"#))?[1].substring)
        #expect(
            result.output == """
                line: \(Self.line)
                \t├ s00-raw
                \t|\t└ 🟢 crowd/syslog (+10 ~9)
                \t|\t\t└ update evt.ExpectMode : %!s(int=0) -> 1
                \t|\t\t└ update evt.Stage :  -> s01-parse
                \t|\t\t└ update evt.Line.Raw :  -> \(Self.line)
                \t|\t\t└ update evt.Line.Src :  -> log line
                \t|\t\t└ update evt.Line.Time : 0001-01-01 00:00:00 +0000 UTC -> NOW
                \t|\t\t└ create evt.Line.Labels.type : syslog
                \t|\t\t└ update evt.Line.Process : %!s(bool=false) -> true
                \t|\t\t└ update evt.Line.Module :  -> file
                \t|\t\t└ create evt.Parsed.logsource : syslog
                \t|\t\t└ create evt.Parsed.message : Failed password for root from 192.168.2.76 port 4 ssh2
                \t|\t\t└ create evt.Parsed.pid : 1
                \t|\t\t└ create evt.Parsed.program : sshd
                \t|\t\t└ create evt.Parsed.timestamp : Dec 10 07:13:43
                \t|\t\t└ create evt.Parsed.timestamp8601 :\u{20}
                \t|\t\t└ update evt.Time : 0001-01-01 00:00:00 +0000 UTC -> NOW
                \t|\t\t└ update evt.StrTime :  -> Dec 10 07:13:43
                \t|\t\t└ create evt.Meta.datasource_path : log line
                \t|\t\t└ create evt.Meta.datasource_type : file
                \t|\t\t└ create evt.Meta.machine : web01
                \t├ s01-parse
                \t|\t├ 🔴 crowd/endlessh
                \t|\t├ 🔴 crowd/firewall-log
                \t|\t└ 🟢 crowd/sshd (+6 ~1)
                \t|\t\t└ update evt.Stage : s01-parse -> s02-enrich
                \t|\t\t└ create evt.Parsed.sshd_client_ip : 192.168.2.76
                \t|\t\t└ create evt.Parsed.sshd_user : root
                \t|\t\t└ create evt.Meta.log_type : ssh_failed-auth
                \t|\t\t└ create evt.Meta.service : ssh
                \t|\t\t└ create evt.Meta.source_ip : 192.168.2.76
                \t|\t\t└ create evt.Meta.target_user : root
                \t├ s02-enrich
                \t|\t├ 🟢 crowd/dates (+2 ~2)
                \t|\t\t├ create evt.Enriched.MarshaledTime : \(year)-12-10T07:13:43Z
                \t|\t\t├ update evt.Time : NOW -> \(year)-12-10 07:13:43 +0000 UTC
                \t|\t\t├ update evt.MarshaledTime :  -> \(year)-12-10T07:13:43Z
                \t|\t\t├ create evt.Meta.timestamp : \(year)-12-10T07:13:43Z
                \t|\t├ 🔴 crowd/http-details
                \t|\t└ 🟢 crowd/private-addresses (~2 [whitelisted])
                \t|\t\t└ update evt.Whitelisted : %!s(bool=false) -> true
                \t|\t\t└ update evt.WhitelistReason :  -> private address
                \t└-------- parser success, ignored by whitelist (private address) 🟢


                """)
    }

    @Test func whatScenariosTook() throws {
        let line = Self.line.replacing("192.168.2.76", with: "192.0.2.76")
        let output = try explain(["-t", "syslog", "--only-successful-parsers", "-l", line]).output
        #expect(output.contains("\t|\t└ 🟢 crowd/private-addresses (unchanged)\n\t├-------- parser success 🟢\n"))
        #expect(output.contains("\t├ Scenarios\n") && output.contains("🟢 crowd/ssh-bf\n"))
        #expect(!output.contains("🔴"))
    }

    @Test(arguments: [
        ([], "required flag(s) \"type\" not set"), (["-t", "syslog"], "please provide --log, --file or --dsn flag"),
        (["-t", "syslog", "-f", "/dev/null"], "the log file is empty: /dev/null"),
        (["-t", "syslog", "-l", "x", "--labels", "y"], "invalid label 'y'"),
    ])
    func whatCannotBeExplained(arguments: [String], message: String) throws {
        let result = try explain(arguments)
        #expect(result.status == 1 && result.output.contains(message), "\(result)")
    }
}
