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
