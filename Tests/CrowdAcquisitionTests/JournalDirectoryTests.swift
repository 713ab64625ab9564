import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

/// What is needed to write journal files without a journal daemon.
enum JournalWriter {
    static let program = "/lib/systemd/systemd-journal-remote"
    static let isThere: Bool = {
        if access(program, X_OK) == 0, access("/usr/bin/journalctl", X_OK) == 0 { return true }
        print("skipped: the journal's tests need journalctl and systemd-journal-remote")
        return false
    }()
}

/// The real `journalctl` on a directory of journal files that are rotated, damaged and removed under its hands.
@Suite("A journal's directory", .enabled(if: JournalWriter.isThere), .serialized)
struct JournalDirectoryTests {
    private let folder: TemporaryDirectory
    private let cursors = SourceCursors()

    init() throws {
        folder = try TemporaryDirectory()
        mkdir(folder.path + "/journal", 0o700)
    }

    /// Adds entries of this moment to a journal file, which is made if need be.
    private func write(_ numbers: Range<Int>, to name: String) throws {
        let now = Timestamp.now().nanoseconds / 1_000
        let entries = numbers.map { number in
            """
            __REALTIME_TIMESTAMP=\(now + Int64(number))
            __MONOTONIC_TIMESTAMP=\(now + Int64(number))
            _BOOT_ID=0123456789abcdef0123456789abcdef
            MESSAGE=line \(number)
            SYSLOG_IDENTIFIER=app
            _HOSTNAME=h
            _PID=7
            PRIORITY=6


            """
        }
        let export = try folder.write("export", entries.joined())
        try Command.must("\(JournalWriter.program) -o \(folder.path)/journal/\(name) \(export)")
    }

    private func harness() throws -> SourceHarness {
        let node = try SourceHarness.yaml(
            "journalctl_filter: ['--directory=\(folder.path)/journal']\nlabels: {type: syslog}\n")
        let context = AcquisitionContext(metrics: Metrics(), log: SourceHarness.log, cursors: cursors)
        let harness = SourceHarness(JournalSource(try JournalSourceConfig(from: node), context))
        // It has begun once the program runs; where the journal's end is, the program finds out in a moment.
        usleep(500_000)
        return harness
    }

    private func numbers(_ lines: [String]) -> [Int] {
        lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    }

    /// Overwrites parts of a journal file with noise and cuts its end off.
    private func damage(_ name: String, seed: UInt64) throws {
        var random = SeededRandom(seed)
        let path = folder.path + "/journal/" + name
        var bytes = try FileContents.read(path, limit: 1 << 28)
        for _ in 0..<20 {
            let at = Int.random(in: 200..<(bytes.count - 4_096), using: &random)
            for offset in at..<(at + 512) { bytes[offset] = UInt8.random(in: .min ... .max, using: &random) }
        }
        bytes.removeLast(bytes.count / 3)
        try folder.write("journal/" + name, bytes)
    }

    /// More lines in the last seconds than are known by their hashes.
    @Test func aRestartAfterABurst() throws {
        try write(0..<5, to: "system.journal")
        let first = try harness()
        try write(5..<2_005, to: "system.journal")
        #expect(numbers(first.texts(2_000, cursors)) == Array(5..<2_005))
        #expect(first.stop(cursors) == [])
        try write(2_005..<2_505, to: "system.journal")
        let second = try harness()
        #expect(numbers(second.texts(500, cursors)) == Array(2_005..<2_505))
        try write(2_505..<2_510, to: "system.journal")
        #expect(numbers(second.texts(5, cursors)) == Array(2_505..<2_510))
        #expect(second.stop(cursors) == [])
    }

    @Test func rotation() throws {
        try write(0..<5, to: "system.journal")
        let harness = try harness()
        try write(5..<50, to: "system.journal")
        var seen = harness.texts(45, cursors)
        for round in 1...3 {
            let journal = folder.path + "/journal/system"
            rename(journal + ".journal", journal + "@\(round).journal")
            try write((50 * round)..<(50 * round + 50), to: "system.journal")
            seen += harness.texts(50, cursors)
        }
        #expect(numbers(seen) == Array(5..<200))
        #expect(harness.stop(cursors) == [])
    }

    /// Entries in sound files are read, none twice, whatever the others look like.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func damageWhileItIsFollowed(_ seed: UInt64) throws {
        try write(0..<5, to: "a.journal")
        let harness = try harness()
        try write(5..<50, to: "a.journal")
        var seen = harness.texts(45, cursors)
        try damage("a.journal", seed: seed)
        try write(50..<100, to: "b.journal")
        seen += harness.texts(50, seconds: 15, cursors)
        #expect(numbers(seen) == Array(5..<100))
        #expect(harness.stop(cursors) == [])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func damageWhileNobodyReads(_ seed: UInt64) throws {
        let first = try harness()
        try write(0..<50, to: "a.journal")
        var seen = first.texts(50, cursors)
        seen += first.stop(cursors)
        try damage("a.journal", seed: seed)
        try write(50..<100, to: "b.journal")
        let second = try harness()
        seen += second.texts(50, seconds: 15, cursors)
        seen += second.stop(cursors)
        #expect(numbers(seen).filter { $0 >= 50 } == Array(50..<100))
        #expect(Set(seen).count == seen.count, "lines came twice")
    }

    /// The directory goes away and comes back: the program ends or waits, and is started again.
    @Test func theDirectoryIsMadeAnew() throws {
        let harness = try harness()
        try write(0..<20, to: "a.journal")
        var seen = harness.texts(20, cursors)
        unlink(folder.path + "/journal/a.journal")
        rmdir(folder.path + "/journal")
        usleep(200_000)
        mkdir(folder.path + "/journal", 0o700)
        try write(20..<40, to: "a.journal")
        seen += harness.texts(20, seconds: 15, cursors)
        #expect(numbers(seen) == Array(0..<40))
        harness.stop(cursors)
    }
}
