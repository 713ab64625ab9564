import CrowdCore
import CrowdTestSupport
import Glibc
import Logging
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

/// With a `journalctl` of our own in front of the system's: it prints a file, and what it was asked.
@Suite("Journal", .serialized) struct JournalTests {
    private let folder: TemporaryDirectory
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        folder = try TemporaryDirectory()
        let program = try folder.write(
            "bin/journalctl",
            """
            #!/bin/sh
            echo "$@" >> \(folder.path)/asked
            case "$1" in --follow) exec tail -n +1 -f \(folder.path)/journal ;; esac
            cat \(folder.path)/journal
            echo "a warning" >&2
            [ "$2" != fail ]
            """)
        chmod(program, 0o755)
    }

    private func source(_ config: JournalSourceConfig, _ context: AcquisitionContext) -> JournalSource {
        JournalSource(config, context, program: folder.path + "/bin/journalctl")
    }

    private func config(_ yaml: String) throws -> JournalSourceConfig {
        try JournalSourceConfig(from: try #require(try YAML.document(Array(yaml.utf8), file: "a.yaml")))
    }

    private func take(_ queue: LineQueue, _ count: Int) -> [String] {
        var lines: [String] = []
        for _ in 0..<50 where lines.count < count {
            guard case .batch(let batch) = queue.take(within: 100) else { continue }
            batch.withEachLine { lines.append(String($0)) }
        }
        return lines
    }

    @Test func readsOnceWithFilters() throws {
        try folder.write("journal", "one\ntwo\n")
        let config = try JournalSourceConfig(
            dsn: "filters=_SYSTEMD_UNIT%3Dssh.service&since=yesterday", labels: [("type", "syslog")])
        let context = AcquisitionContext(metrics: Metrics(), log: log)
        let queue = LineQueue()
        try source(config, context).run(into: queue, until: StopFlag())
        #expect(take(queue, 2) == ["one", "two"])
        #expect(
            try FileContents.read(folder.path + "/asked") == Array("--since yesterday _SYSTEMD_UNIT=ssh.service\n".utf8)
        )
        #expect(
            String(decoding: context.metrics.exposition(), as: UTF8.self).contains("cs_journalctlsource_hits_total{"))
    }

    @Test func aFailureIsAnError() throws {
        try folder.write("journal", "")
        let config = try JournalSourceConfig(dsn: "filters=x&filters=fail", labels: [("type", "t")])
        let source = source(config, AcquisitionContext(metrics: Metrics(), log: log))
        #expect(throws: ConfigError.self) { try source.run(into: LineQueue(), until: StopFlag()) }
    }

    /// What is there already is asked for again after a restart; known lines are left out.
    @Test func goesOnWhereItWas() throws {
        try folder.write("journal", "one\ntwo\ntwo\n")
        let context = AcquisitionContext(metrics: Metrics(), log: log)
        let config = try config("journalctl_filter: [-t, sshd]\nlabels: {type: syslog}\n")
        var seen: [String] = []
        for expected in [3, 2] {
            let queue = LineQueue()
            let supervisor = SourceSupervisor([source(config, context)], into: queue, log: log)
            let done = Completion<Bool>()
            supervisor.start { done.set(true) }
            seen += take(queue, expected)
            supervisor.stop.set()
            _ = done.wait()
            if expected == 3 { try folder.append("journal", "three\ntwo\n") }
        }
        #expect(seen == ["one", "two", "two", "three", "two"])
        let asked = String(decoding: try FileContents.read(folder.path + "/asked"), as: UTF8.self).split(
            separator: "\n")
        #expect(asked.first == "--follow -n 0 -t sshd")
        #expect(asked.last?.hasPrefix("--follow -n all --since @") ?? false)
    }

    @Test(arguments: [
        ("labels: {type: t}\n", "journalctl_filter is required"), ("journalctl_filter: [x]\n", "missing labels"),
        ("journalctl_filter: [x]\nlabels: {type: t}\nfoo: 1\n", "foo"),
    ])
    func refuses(_ yaml: String, reason: String) throws {
        let error = #expect(throws: ConfigError.self) { try config("source: journalctl\n" + yaml) }
        #expect("\(try #require(error))".contains(reason))
    }

    @Test(arguments: [("", "empty"), ("foo=1", "unsupported key foo"), ("filters=%zz", "invalid escape")])
    func refusesDSN(_ dsn: String, reason: String) throws {
        let error = #expect(throws: ConfigError.self) { try JournalSourceConfig(dsn: dsn, labels: []) }
        #expect("\(try #require(error))".contains(reason))
    }
}
