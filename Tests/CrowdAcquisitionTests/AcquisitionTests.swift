import CrowdCore
import CrowdTestSupport
import Glibc
import Logging
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

/// Acquisition files and DSNs that are wrong, in CrowdSec's words.
@Suite("Acquisition files") struct AcquisitionTests {
    private let folder: TemporaryDirectory
    private let context = AcquisitionContext(metrics: Metrics(), log: SourceHarness.log)

    init() throws { folder = try TemporaryDirectory() }

    private func load(_ text: String) throws -> Acquisition.Loaded {
        var loaded = Acquisition.Loaded()
        Acquisition.load(try folder.write("a.yaml", text), into: &loaded, context)
        return loaded
    }

    @Test(arguments: [
        ("filename: /x\n", ": missing labels"), ("filename: /x\nlabels: {}\n", ": missing labels"),
        ("labels: {type: x}\n", ": missing 'source' field"),
        ("source: nope\nlabels: {type: x}\n", ": unknown data source nope"),
        ("source: loki\nlabels: {type: x}\n", ": data source loki is not built in this version of crowdsec"),
        (
            "source: file\nlabels: {type: x}\n",
            ": datasource of type file: no filename or filenames configuration provided"
        ),
        (
            "filename: /x\nlabels: {type: x}\nfoo: 1\n",
            ": datasource of type file: cannot parse FileAcquisition configuration: [3:1] unknown field \"foo\""
        ),
        (
            "source: docker\nx: 1\n",
            ": datasource of type docker: while parsing DockerAcquisition configuration: [2:1] unknown field \"x\""
        ),
        (
            "source: journalctl\nfilename: /x\nlabels: {type: x}\n",
            ": datasource of type journalctl: cannot parse: [2:1] unknown field \"filename\""
        ), ("filename: /x\nlabels: {type: x}\n---\nfilename: /y\n", " (position 1): missing labels"),
        (
            "filename: /x\nfilename: /x\nlabels: {type: x}\n",
            ": position 0: [2:1] mapping key \"filename\" already defined at [1:1]"
        ),
        (
            "---\nfilename: /x\nlabels: {type: x}\n---\nsource: syslog\nsource: file\n",
            ": position 1: [6:1] mapping key \"source\" already defined at [5:1]"
        ),
        (
            "filename: /x\nlabels: {type: x}\nmode: server\n",
            ": datasource of type file: unsupported mode server for file source"
        ),
        (
            "filename: /x\nlabels: {type: x}\nforce_inotify: 7x\n",
            ": datasource of type file: cannot parse FileAcquisition configuration: [3:16] cannot unmarshal string "
                + "into Go struct field Configuration.ForceInotify of type bool"
        ),
        (
            "filename: [/x]\nlabels: {type: x}\n",
            ": datasource of type file: cannot parse FileAcquisition configuration: [1:11] cannot unmarshal "
                + "[]interface {} into Go struct field Configuration.Filename of type string"
        ),
        (
            "source: journalctl\njournalctl_filter: a\nlabels: {type: x}\n",
            ": datasource of type journalctl: cannot parse: [2:20] cannot unmarshal string into Go struct field "
                + "Configuration.JournalctlFilter of type []string"
        ),
        (
            "filename: /x\nlabels: {type: x}\ndiscovery_poll_interval: zz\n",
            ": datasource of type file: time: invalid duration \"zz\" [3:26]"
        ),
        (
            "filename: /x\nlabels: {type: x}\nexclude_regexps: ['a(']\n",
            ": datasource of type file: could not compile regexp a(: "
                + "error parsing regexp: missing closing ): `a(` [3:19]"
        ),
        (
            "source: syslog\nlabels: {type: x}\nlog_level: loud\n",
            ": datasource of type syslog: not a valid logrus Level: \"loud\" [3:12]"
        ),
        (
            "source: syslog\nlabels: {type: x}\nlisten_port: 70000\n",
            ": datasource of type syslog: invalid port 70000 [3:14]"
        ),
    ])
    func whatIsWrongIsSaid(_ yaml: String, behindTheFile: String) throws {
        let loaded = try load(yaml)
        #expect(loaded.errors.map(\.description) == [folder.path + "/a.yaml" + behindTheFile])
    }

    @Test func whatThisHostCannotReadIsLeftOut() throws {
        let yaml = "journalctl_filter: [-u x]\nlabels: {type: x}\n---\nfilename: /y\nlabels: {type: x}\n"
        var loaded = Acquisition.Loaded()
        let path = try folder.write("a.yaml", yaml)
        Acquisition.load(path, into: &loaded, context, searchPath: folder.path)
        #expect(loaded.sources.map(\.name) == ["file:/y"])
        #expect(loaded.errors.isEmpty)
        #expect(
            loaded.unavailable == [
                path + ": datasource 'journalctl' is not available: "
                    + "exec: \"journalctl\": executable file not found in $PATH"
            ])
        let program = try folder.write("journalctl", "")
        chmod(program, 0o755)
        loaded = Acquisition.Loaded()
        Acquisition.load(path, into: &loaded, context, searchPath: "/nowhere:" + folder.path)
        #expect(loaded.sources.count == 2)
        #expect(loaded.unavailable.isEmpty)
    }

    @Test func theOtherDocumentsAreTaken() throws {
        let loaded = try load("filename: /x\n---\n# nothing\n---\nfilename: /y\nlabels: {type: x}\n")
        #expect(loaded.sources.map(\.name) == ["file:/y"])
        #expect(loaded.errors.map(\.description) == [folder.path + "/a.yaml (position 0): missing labels"])
    }

    @Test(arguments: [
        ("x", "x isn't valid dsn (no protocol)"), ("nope://x", "unknown data source nope"),
        ("loki://x", "data source loki is not built in this version of crowdsec"),
        ("syslog://x", "syslog datasource does not support command-line acquisition"),
        ("file://", "empty file:// DSN"), ("file:///x?foo=1", "unknown parameter foo"),
        ("file:///x?log_level=loud", "not a valid logrus Level: \"loud\""),
        ("journalctl://filters=a&log_level=loud", "not a valid logrus Level: \"loud\""),
    ])
    func refusesDSN(_ dsn: String, reason: String) {
        let error = #expect(throws: ConfigError.self) {
            try Acquisition.replay(dsn: dsn, labels: [("type", "t")], context)
        }
        #expect(error?.description == reason)
    }

    /// `prometheus.level` decides how a file is called.
    @Test(arguments: [(PrometheusConfig.Level.full, false), (.aggregated, true)], ["tail", "cat"])
    func filesAreCalledByPathOrName(_ level: (PrometheusConfig.Level, isShort: Bool), mode: String) throws {
        let path = try folder.write("a.log", "old\n")
        let context = AcquisitionContext(metrics: Metrics(level: level.0), log: SourceHarness.log)
        let yaml = try SourceHarness.yaml("filename: \(path)\nlabels: {type: x}\nmode: \(mode)\n")
        let harness = SourceHarness(FileSource(try FileSourceConfig(from: yaml), context))
        if mode == "tail" { try folder.append("a.log", "new\n") }
        let name = level.isShort ? "a.log" : path
        #expect(harness.take(1).map(\.source) == [name])
        #expect(context.metrics.samples(.fileSourceHits).map { $0.labels.map(\.1) } == [[name, "file", "x"]])
    }

    /// What a replay cannot read to its end is an error; what came before and the other files are read.
    @Test func aPackedLogThatIsCutOff() throws {
        let text = (0..<20_000).map { "line \($0) \(UInt64($0) &* 0x9E37_79B9_7F4A_7C15)\n" }.joined()
        let packed = try #require(Gzip.compress(Array(text.utf8)))
        try folder.write("1.log.gz", Array(packed[..<(packed.count / 2)]))
        try folder.write("2.log.gz", packed)
        let source = try Acquisition.replay(
            dsn: "file://\(folder.path)/*.log.gz", labels: [("type", "t")], context)
        let harness = SourceHarness(source)
        let lines = harness.texts(100_000, seconds: 1)
        let end = lines.lastIndex { $0.hasPrefix("line 0 ") } ?? 0
        let whole = text.split(separator: "\n").map(String.init)
        #expect(Array(lines.suffix(whole.count)) == whole)
        #expect(end > 1_000 && Array(lines.prefix(end)) == Array(whole.prefix(end)))
        #expect("\(try #require(harness.failure))".contains("1.log.gz failed: it is damaged or cut off"))
    }
}
