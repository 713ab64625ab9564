import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

/// Files on file systems of programs: nobody is told of changes, attributes are kept for a second, and sshfs makes up its inode
/// numbers, by name, anew with each mount.
@Suite("Network file systems", .serialized) struct NetworkFileTests {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case bindfs, sshfs
        var testDescription: String { rawValue }

        private static let sftpServer = "/usr/lib/openssh/sftp-server"

        /// Whether the kernel, our rights and the programs allow it.
        static var present: [Kind] {
            guard isRoot, access("/dev/fuse", R_OK | W_OK) == 0 else { return [] }
            return allCases.filter { kind in
                let programs = kind == .bindfs ? ["/usr/bin/bindfs"] : ["/usr/bin/sshfs", "/usr/bin/socat", sftpServer]
                return programs.allSatisfy { access($0, X_OK) == 0 }
            }
        }

        func command(_ source: String, _ target: String) -> [String] {
            switch self {
            case .bindfs: return ["/usr/bin/bindfs", "-f", source, target]
            case .sshfs:
                let mount = "EXEC:sshfs -f -o passive -o dcache_timeout=1 \\:\(source) \(target)"
                return ["/usr/bin/socat", mount, "EXEC:\(Self.sftpServer)"]
            }
        }
    }

    /// `below/a.log` is written to, `seen/a.log` is followed.
    private final class Mount {
        let folder: TemporaryDirectory
        let seen: String
        private let kind: Kind
        private var server: Command?

        init(_ kind: Kind) throws {
            folder = try TemporaryDirectory()
            seen = folder.path + "/seen"
            self.kind = kind
            try Command.must("mkdir \(folder.path)/below \(seen)")
            try mount()
        }

        deinit { unmount() }

        func mount() throws {
            server = try Command(kind.command(folder.path + "/below", seen))
            try folder.write("below/.there", "")
            for _ in 0..<100 where access(seen + "/.there", F_OK) != 0 { usleep(50_000) }
            guard access(seen + "/.there", F_OK) == 0 else { throw SupportError("\(kind) was not mounted") }
        }

        func unmount() {
            _ = try? Command.must("umount -l \(seen)")
            server?.signal(SIGTERM)
            _ = server?.wait()
            server = nil
        }
    }

    private func source(_ mount: Mount, _ positions: FilePositions) throws -> FileSource {
        let context = AcquisitionContext(metrics: Metrics(), log: SourceHarness.log, positions: positions)
        let node = try SourceHarness.yaml("filename: \(mount.seen)/*.log\nlabels: {type: t}\n")
        return FileSource(try FileSourceConfig(from: node), context)
    }

    @Test(
        .enabled(if: !Kind.present.isEmpty, "SKIPPED: needs root, /dev/fuse, and bindfs or sshfs with socat"),
        arguments: Kind.present)
    func everyLineIsReadOnce(_ kind: Kind) throws {
        let mount = try Mount(kind)
        let positions = FilePositions()
        try mount.folder.write("below/a.log", "old\n")
        var harness = SourceHarness(try source(mount, positions))
        try mount.folder.append("below/a.log", "1\n2\n")
        #expect(harness.texts(2) == ["1", "2"])
        try mount.folder.append("below/a.log", "3\n")
        #expect(harness.texts(1) == ["3"])
        // Renamed; what the old one still gets may be seen late, and the new one is longer than the old one from the start.
        try Command.must("mv \(mount.folder.path)/below/a.log \(mount.folder.path)/below/a.log.1")
        try mount.folder.append("below/a.log.1", "4\n")
        try mount.folder.write("below/a.log", "a line that is longer than all that were there before\n5\n")
        #expect(harness.texts(3).map { String($0.prefix(6)) }.sorted() == ["4", "5", "a line"])
        // Emptied.
        try mount.folder.write("below/a.log", "6\n")
        #expect(harness.texts(1) == ["6"])
        #expect(harness.stop() == [])
        // Another device and other inode numbers.
        mount.unmount()
        try mount.mount()
        try mount.folder.append("below/a.log", "7\n")
        harness = SourceHarness(try source(mount, positions))
        #expect(harness.texts(1) == ["7"])
        try mount.folder.append("below/a.log", "8\n")
        #expect(harness.texts(1) == ["8"])
        #expect(harness.stop() == [])
    }
}
