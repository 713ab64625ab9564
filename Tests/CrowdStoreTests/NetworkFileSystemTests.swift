import CrowdTestSupport
import Testing

@testable import CrowdStore

@Suite("Network file systems") struct NetworkFileSystemTests {
    @Test func localOnesAreNone() throws {
        let directory = try TemporaryDirectory()
        #expect(NetworkFileSystem.type(holding: directory.path + "/not-yet.db") == nil)
        #expect(NetworkFileSystem.type(holding: "/no/such/place/x.db") == nil)
    }

    private static let mounts = """
        22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
        30 22 0:40 / /var/lib/crowdsec rw,relatime shared:5 - nfs4 server:/export rw,vers=4.2
        31 30 0:41 / /var/lib/crowdsec/local rw shared:6 master:2 - tmpfs tmpfs rw
        32 22 0:42 / /mnt/two\\040words rw - cifs //server/share rw
        33 22 0:43 / /srv rw - ext4 /dev/vdb rw
        34 33 0:44 / /srv rw - 9p host rw
        broken line

        """

    @Test(arguments: [
        ("/var/lib/crowdsec/crowdsec.db", "nfs4"), ("/var/lib/crowdsec/local/crowdsec.db", "tmpfs"),
        ("/var/lib/crowdsec-2/crowdsec.db", "ext4"), ("/mnt/two words/x.db", "cifs"), ("/srv/x.db", "9p"),
        ("/x.db", "ext4"),
    ])
    func theInnermostAndLastMountCounts(_ path: String, _ type: String) {
        #expect(NetworkFileSystem.type(holding: path, mounts: Self.mounts) == type)
    }

    /// What `use_wal` says, and SQLite's journal then.
    @Test(arguments: [("", "wal"), (", use_wal: true", "wal"), (", use_wal: false", "delete")])
    func theJournalIsAsConfigured(_ key: String, _ mode: String) throws {
        let directory = try TemporaryDirectory()
        let config = try TestDatabase.config("{type: sqlite, db_path: \(directory.path)/x.db\(key)}", in: directory)
        let connection = try Database.connection(config, applicationName: "test")
        #expect(try connection.first("PRAGMA journal_mode") { $0.text(0) } == mode)
    }
}
