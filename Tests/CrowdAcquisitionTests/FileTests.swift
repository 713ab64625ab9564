import CrowdCore
import CrowdTestSupport
import Glibc
import Logging
import Synchronization
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

@Suite("Lines of a stream") struct LineCutterTests {
    @Test(arguments: [
        (["a\nb\n"], ["a", "b"]), (["a\nb"], ["a"]), (["a", "b\nc\n"], ["ab", "c"]), (["\n\n\r\na\r\n"], ["a"]),
        (["12345678901234567890\nx\n"], ["1234567890", "x"]), (["12345", "67890", "12345\nx\n"], ["1234567890", "x"]),
        (["é\n"], ["é"]), ([""], []),
    ])
    func cuts(_ blocks: [String], lines: [String]) throws {
        let origin = LineOrigin(source: "s", module: "file", labels: [], isReplay: false)
        var cutter = LineCutter(origin, maxLine: 10)
        var found: [String] = []
        for var block in blocks {
            block.withUTF8 { buffer in cutter.cut(buffer)?.withEachLine { found.append(String($0)) } }
        }
        #expect(found == lines)
    }
}

@Suite("Log files") struct FileSourceTests {
    private let folder: TemporaryDirectory
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws { folder = try TemporaryDirectory() }

    private func config(_ yaml: String) throws -> FileSourceConfig {
        let node = try #require(try YAML.document(Array(yaml.utf8), file: "acquis.yaml"))
        return try FileSourceConfig(from: node)
    }

    /// Follows while `body` writes, until so many lines came; gives what was read.
    private func follow(_ pattern: String, expecting count: Int, _ body: () throws -> Void) throws -> [String] {
        let source = FileSource(
            try config("filename: \(pattern)\nlabels: {type: t}\n"), AcquisitionContext(metrics: Metrics(), log: log))
        let queue = LineQueue()
        let supervisor = SourceSupervisor([source], into: queue, log: log)
        let done = DoneFlag()
        supervisor.start { done.set() }
        usleep(150_000)
        try body()
        var lines: [String] = []
        var idle = 0
        while lines.count < count, idle < 100 {
            if case .batch(let batch) = queue.take(within: 100) {
                batch.withEachLine { lines.append(String($0)) }
            } else {
                idle += 1
            }
        }
        supervisor.stop.set()
        while !done.isSet { usleep(5_000) }
        return lines
    }

    private final class DoneFlag: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .acquiring) }
        func set() { flag.store(true, ordering: .releasing) }
    }

    /// As network file systems and FUSE do not: here an overlay, of which the upper layer is written to behind its back.
    @Test(.enabled(if: NetworkPair.isPossible, "needs the rights to mount"))
    func aFileSystemThatReportsNoChangesIsReadAllTheSame() throws {
        for name in ["lower", "upper", "work", "seen"] { try Command.must("mkdir \(folder.path)/\(name)") }
        try folder.write("upper/a.log", "old\n")
        let layers = ["lowerdir", "upperdir", "workdir"].map { "\($0)=\(folder.path)/\($0.dropLast(3))" }
        try Command.must("mount -t overlay none -o \(layers.joined(separator: ",")) \(folder.path)/seen")
        defer { _ = try? Command.must("umount -l \(folder.path)/seen") }
        let lines = try follow(folder.path + "/seen/*.log", expecting: 4) {
            try folder.append("upper/a.log", "1\n2\n")
            usleep(600_000)
            try folder.append("upper/a.log", "3\n")
            usleep(600_000)
            try folder.append("upper/a.log", "4\n")
        }
        #expect(lines == ["1", "2", "3", "4"])
    }

    @Test func followsFromTheEndAcrossRotation() throws {
        let path = try folder.write("a.log", "old\n")
        let lines = try follow(path, expecting: 5) {
            try folder.append("a.log", "1\n2")
            try folder.append("a.log", "2\n")
            usleep(400_000)
            rename(path, path + ".1")
            try folder.append("a.log.1", "3\n")
            try folder.write("a.log", "4\n")
            usleep(700_000)
            try folder.append("a.log", "5\n")
        }
        #expect(lines == ["1", "22", "3", "4", "5"])
    }

    @Test func startsOverWhenTheFileIsEmptied() throws {
        let path = try folder.write("b.log", "old old old\n")
        let lines = try follow(path, expecting: 2) {
            try folder.append("b.log", "1\n")
            usleep(400_000)
            try folder.write("b.log", "")
            usleep(700_000)
            try folder.append("b.log", "2\n")
        }
        #expect(lines == ["1", "2"])
    }

    /// A writer that rotates as logrotate does, in all ways at once and at full speed: every line is seen once.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func rotationAtFullSpeed(_ seed: UInt64) throws {
        let count = 60_000
        let path = try folder.write("t.log", "")
        let lines = try follow(path, expecting: count) {
            var writer = RotatingWriter(path, seed: seed)
            try writer.write(count)
        }
        let numbers = lines.compactMap { Int($0.dropFirst(5)) }
        #expect(numbers.count == count)
        #expect(Set(numbers).count == numbers.count, "lines came twice")
        #expect(numbers.sorted() == Array(0..<count))
    }

    /// Rotated files match the pattern too: they are not new.
    @Test func aPatternThatMatchesRotatedFiles() throws {
        try folder.write("m.log", "old\n")
        let lines = try follow(folder.path + "/m.log*", expecting: 4) {
            try folder.append("m.log", "1\n2\n")
            usleep(500_000)
            rename(folder.path + "/m.log", folder.path + "/m.log.1")
            try folder.write("m.log", "3\n")
            usleep(1_500_000)
            try folder.append("m.log", "4\n")
            usleep(700_000)
        }
        #expect(lines == ["1", "2", "3", "4"])
    }

    @Test func emptiedAndAtOnceLongerAgain() throws {
        let path = try folder.write("e.log", "")
        let lines = try follow(path, expecting: 5) {
            try folder.append("e.log", "1\n2\n")
            usleep(500_000)
            try folder.write("e.log", "3 longer\n4 longer\n5 longer\n")
            usleep(700_000)
        }
        #expect(lines == ["1", "2", "3 longer", "4 longer", "5 longer"])
    }

    @Test func readsGzipOnce() throws {
        try folder.write("z.log.gz", try #require(Gzip.compress(Array("1\n2\n3".utf8))))
        let source = FileSource(
            try config("filename: \(folder.path)/z.log.gz\nlabels: {type: t}\nmode: cat\n"),
            AcquisitionContext(metrics: Metrics(), log: log))
        let queue = LineQueue()
        try source.run(into: queue, until: StopFlag())
        queue.close()
        var lines: [String] = []
        while case .batch(let batch) = queue.take(within: 100) { batch.withEachLine { lines.append(String($0)) } }
        #expect(lines == ["1", "2", "3"])
    }

    @Test(arguments: [
        ("auth.log.1", true), ("auth.log-20261121", true), ("auth.log.2026-11-21_10", true), ("auth.log", false),
        ("auth.log.1.gz", false), ("auth.log-debug", false), ("auth.logs.1", false), ("auth.log.", false),
    ])
    func knowsRotatedNames(_ name: String, isRotation: Bool) {
        #expect(RotatedFiles.isRotation(name, of: "auth.log") == isRotation)
    }

    @Test func aFileThatAppearsLaterIsReadFromItsStart() throws {
        let lines = try follow(folder.path + "/*.log", expecting: 2) { try folder.write("new.log", "1\n2\n") }
        #expect(lines == ["1", "2"])
    }

    @Test(arguments: [
        ("filename: /x\n", "missing labels"), ("labels: {type: t}\nsource: file\n", "no filename or filenames"),
        ("filename: /x\nlabels: {type: t}\nfoo: 1\n", "foo"),
        ("filename: /x\nlabels: {type: t}\nmode: sideways\n", "sideways"),
    ])
    func refuses(_ yaml: String, reason: String) throws {
        let error = #expect(throws: ConfigError.self) { try config(yaml) }
        #expect("\(try #require(error))".contains(reason), "\(error.map { "\($0)" } ?? "")")
    }

    @Test func aReplayOfAMissingFileIsAnError() throws {
        let context = AcquisitionContext(metrics: Metrics(), log: log)
        let queue = LineQueue()
        #expect(throws: ConfigError.self) {
            try Acquisition.replay(dsn: "file:///nonexistent/x.log", labels: [("type", "t")], context)
                .run(into: queue, until: StopFlag())
        }
    }

    @Test(arguments: [
        ("nope:///x", "unknown data source nope"), ("x", "no protocol"), ("file:///x?foo=1", "unknown parameter foo"),
    ])
    func refusesDSN(_ dsn: String, reason: String) throws {
        let context = AcquisitionContext(metrics: Metrics(), log: log)
        let error = #expect(throws: ConfigError.self) { try Acquisition.replay(dsn: dsn, labels: [], context) }
        #expect("\(try #require(error))".contains(reason))
    }
}
