import CrowdCore
import CrowdTestSupport
import Testing

@Suite("Tools for hub tests") struct HubTestToolsTests {
    @Test func createInfoAndCoverage() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        try directory.write(
            ".index.json",
            """
            {"parsers":{"a/one":{"path":"parsers/s01-parse/a/one.yaml"},"a/two":{"path":"parsers/s01-parse/a/two.yaml"}},
             "scenarios":{"a/s":{"path":"scenarios/a/s.yaml"}}}
            """)
        try directory.write("config.yaml", "config_paths: {data_dir: \(path)}\n")
        func cscli(_ line: String) throws -> Command.Result {
            try Command.run(
                [Command.built("cscli"), "-c", path + "/config.yaml", "hubtest", "--hub", path]
                    + line.split(separator: " ").map(String.init))
        }
        #expect(try cscli("create mine").output.contains("please provide a type"))
        let created = try cscli("create mine --type syslog -p a/one -s a/s")
        #expect(created.output.contains("  Test path                   :  \(path)/.tests/mine\n"))
        #expect(Command.text(path + "/.tests/mine/config.yaml").contains("- a/one\nscenarios:\n  - a/s\n"))
        #expect(try cscli("create mine --type syslog").output.contains("test 'mine' already exists"))
        #expect(try cscli("create ../x --type syslog").status == 1)
        #expect(try cscli("info mine").output.contains("\(path)/.tests/mine/mine.log\n"))
        #expect(try cscli("info other").status == 1)
        #expect(try cscli("coverage --percent").output == "parsers=0%\nscenarios=0%\n")
        try directory.write(".tests/mine/parser.assert", "results[\"s01-parse\"][\"a/one\"][0].Success == true\n")
        try directory.write(".tests/mine/scenario.assert", "results[0].Overflow.Alert.GetScenario() == \"a/s\"\n")
        #expect(try cscli("coverage --percent").output == "parsers=50%\nscenarios=100%\n")
        #expect(try cscli("coverage --percent --scenarios").output == "scenarios=100%\n")
    }
}

@Suite("What a hub test gave") struct HubTestInspectionTests {
    /// A checkout with one test: two lines of a service, of which one is parsed.
    private func checkout() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let index =
            #"{"parsers":{"a/one":{"path":"parsers/s01-parse/a/one.yaml"}},"scenarios":{"a/s":{"path":"scenarios/a/s.yaml"}}}"#
        try directory.write(".index.json", index)
        try directory.write("config.yaml", "config_paths: {data_dir: \(directory.path)}\n")
        try directory.write(
            "parsers/s01-parse/a/one.yaml",
            """
            name: a/one
            filter: evt.Line.Labels.type == 'x'
            onsuccess: next_stage
            grok: {pattern: '^login of %{WORD:user} from %{IP:ip}$', apply_on: Line.Raw}
            statics:
              - {meta: source_ip, expression: evt.Parsed.ip}
              - {meta: quote, value: 'say "\\\\"'}
            """)
        try directory.write(
            "scenarios/a/s.yaml",
            "type: trigger\nname: a/s\ndescription: d\nfilter: evt.Meta.source_ip != ''\ngroupby: evt.Meta.source_ip\nlabels: {remediation: true}\n"
        )
        try directory.write(
            ".tests/t/config.yaml", "parsers: [a/one]\nscenarios: [a/s]\nlog_file: t.log\nlog_type: x\n")
        try directory.write(".tests/t/t.log", "login of bob from 192.0.2.1\nlogin of bob from nowhere\n")
        try directory.write(".tests/t/parser.assert", "")
        try directory.write(".tests/t/scenario.assert", "")
        return directory
    }

    private func cscli(_ path: String, _ words: [String]) throws -> Command.Result {
        let patterns = SharedMaterial.packageRoot + "/deploy/etc/crowdsec/patterns"
        return try Command.run(
            [Command.built("cscli"), "-c", path + "/config.yaml", "hubtest", "--hub", path, "--patterns", patterns]
                + words)
    }

    @Test func generatedAssertionsHold() throws {
        let directory = try checkout()
        for (file, about) in [
            ("parser.assert", #"Parsed["user"] == "bob""#), ("scenario.assert", "GetEventsCount() == 1"),
        ] {
            let result = try cscli(directory.path, ["run", "t"])
            #expect(result.status == 1 && result.output.contains(about), "\(result.output)")
            let parts = result.output.split(separator: "\n").map(String.init)
            let lines = parts.filter { ["len(", "results[", "basename(", "\""].contains(where: $0.hasPrefix) }
            try directory.write(".tests/t/\(file)", lines.joined(separator: "\n"))
        }
        let result = try cscli(directory.path, ["run", "t"])
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("Test 't' passed successfully ("))
        #expect(result.output.hasSuffix("All tests passed, use --report-success for more details.\n"))
        let table = try cscli(directory.path, ["run", "t", "--report-success"]).output
        #expect(table.contains(" Test  Result  Assertions \n") && table.contains(" t     ✅      "), "\(table)")
    }

    @Test(arguments: [
        (["eval", "t", "-e", "len(results['s01-parse']['a/one'])"], 0, "2\n"),
        (["eval", "t", "-e", "results['s01-parse']['a/one'][0].Evt.Parsed.user"], 0, "\"bob\"\n"),
        (["eval", "t", "-e", "results[0].Overflow.Alert.GetScenario()", "--scenarios"], 0, "\"a/s\"\n"),
        (["eval", "t", "-e", "results["], 1, "unable to evaluate 'results['"),
        (["eval", "t"], 1, "required flag(s)"),
        (["explain", "t"], 0, "a/one (+5 ~8)"),
        (["explain", "t", "--failures"], 0, "nearest: a/one (s01-parse), up to column 19"),
        (["explain", "nobody"], 1, "nobody"),
        (["list", "--hub", "/nonexistent"], 1, "path to hub '/nonexistent' doesn't exist, can't run"),
    ])
    func isAskedFor(_ words: [String], _ status: Int32, _ output: String) throws {
        let directory = try checkout()
        let result = try cscli(directory.path, words)
        #expect(result.status == status && result.output.contains(output), "\(result.output)")
    }
}
