import CrowdCore
import CrowdHub
import CrowdTestSupport
import Testing

@testable import CrowdTools

@Suite("Setup") struct SetupTests {
    @Test(arguments: [
        ("12.4", ">= 11, < 13", true), ("1.2.3", "~1.2", true), ("1.3.0", "~1.2", false), ("1.9", "^1.2", true),
        ("2.0", "^1.2", false), ("1.0", "= 1.0.0", true), ("1.0", "!=1.0", false), ("8", ">9 || <9", true),
        ("x", ">1", nil), ("1", ">x", nil),
    ])
    func versions(_ version: String, _ constraint: String, _ holds: Bool?) {
        #expect(VersionConstraint.holds(version, constraint) == holds)
    }

    @Test(arguments: [
        (#"Host.OS == "linux""#, true), (#"Host.Platform == """#, false), (#"Path.Exists("/etc")"#, true),
        (#"Path.Exists("/no/such/thing")"#, false), (#"len(Path.Glob("/et*")) == 1"#, true),
        (#"Systemd.UnitInstalled("x.service") || System.ProcessRunning("no such process")"#, false),
        (#"Systemd.UnitConfig("x.service", "User") == """#, true), (#"Version.Check("2.0", ">1")"#, true),
        (#"Windows.ServiceEnabled("x")"#, false),
    ])
    func conditions(_ text: String, _ holds: Bool) throws {
        let language = SetupLanguage(HostFacts(asksSystemd: false))
        #expect(try language.holds(text, at: SourceMark(file: "d", line: 1, column: 1), in: "x") == holds)
    }

    @Test(arguments: [
        (#"Systemd.Reboot("x")"#, "type Systemd has no method Reboot"), ("1 + 1", "not a boolean"),
        (#"Version.Check("x", "y")"#, "invalid version or constraint: 'x', 'y'"),
    ])
    func wrongConditions(_ text: String, _ reason: String) throws {
        let language = SetupLanguage(HostFacts(asksSystemd: false))
        let error = #expect(throws: CommandError.self) {
            try language.holds(text, at: SourceMark(file: "detect.yaml", line: 7, column: 3), in: "nginx")
        }
        #expect(error?.message == "detect.yaml:7:3: detecting nginx: '\(text)': \(reason)")
    }

    static let rules = """
        detect:
          zzz:
            when: ['Path.Exists("/no")']
          web:
            when: ['Host.OS == "linux"', 'Path.Exists("/etc")']
            hub_spec: {collections: [a/web], parsers: [a/p]}
            acquisition_spec:
              filename: web.yaml
              datasource: {source: file, labels: {type: web}, filenames: [/var/log/web.log], max: 3, on: true}
          always: {}
        """

    @Test(arguments: [
        ([], [], ["always", "web"]), (["zzz"], [], ["always", "web", "zzz"]), ([], ["web"], ["always"]),
    ])
    func detection(_ forced: [String], _ ignored: [String], _ found: [String]) throws {
        let directory = try TemporaryDirectory()
        let rules = try DetectRules(directory.write("detect.yaml", Self.rules))
        let document = try rules.detect(
            HostFacts(asksSystemd: false), forced: Set(forced), ignored: Set(ignored))
        #expect(document.items.map(\.service) == found)
        // What is printed can be read again.
        let again = try SetupDocument(Array(document.json.pretty.utf8), file: "-")
        #expect(again.json == document.json)
        #expect(
            again.hubItems.map(\.description) == (found.contains("web") ? ["parsers:a/p", "collections:a/web"] : []))
    }

    @Test(arguments: [
        ("se tup:\n  - a\n", "[1:1] unknown field \"se tup\"\n>  1 | se tup:\n       ^\n   2 |   - a\n"),
        ("nothing\n", "[1:1] string was used where mapping is expected\n>  1 | nothing\n       ^\n"),
        (
            "setup:\n  - detected_service: a\n    detected_service: b\n",
            "[3:5] mapping key \"detected_service\" already defined at [2:5]\n   1 | setup:\n"
                + "   2 |   - detected_service: a\n>  3 |     detected_service: b\n           ^\n"
        ),
    ])
    func complaints(_ text: String, _ complaint: String) {
        let error = #expect(throws: ConfigError.self) { try SetupDocument(Array(text.utf8), file: "s.yaml") }
        #expect(error.map { SetupComplaint.text($0, in: Array(text.utf8)) } == complaint)
    }

    @Test(arguments: ["../x.yaml", "a/b.yaml", "", "x.txt"]) func fileNamesStayInTheFolder(_ name: String) {
        let text = "setup: [{acquisition_spec: {filename: '\(name)', datasource: {source: file}}}]"
        #expect(throws: ConfigError.self) { try SetupDocument(Array(text.utf8), file: "s.yaml") }
    }

    @Test func changedFilesAreNoticed() throws {
        let text = #"setup: [{detected_service: a, acquisition_spec: {filename: a.yaml, datasource: {source: file}}}]"#
        let item = try SetupDocument(Array(text.utf8), file: "s.yaml").items[0]
        let source = try #require(item.dataSource)
        let file = AcquisitionFile(item, fileName: "a.yaml", source: source, directory: "/d")
        #expect(file.path == "/d/setup.a.yaml")
        #expect(AcquisitionFile.isGenuine(file.text))
        #expect(AcquisitionFile.isGenuine("# a comment more\n\n" + file.text))
        #expect(!AcquisitionFile.isGenuine(file.text + "mode: cat\n"))
        #expect(!AcquisitionFile.isGenuine("source: file\n"))
    }
}
