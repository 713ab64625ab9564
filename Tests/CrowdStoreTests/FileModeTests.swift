import CrowdStore
import CrowdTestSupport
import Glibc
import Testing

/// Who may read a database, and that nobody else's files are affected by one being opened.
@Suite("Modes of database files") struct FileModeTests {
    private func mode(_ path: String) -> mode_t? {
        var facts = stat()
        return stat(path, &facts) == 0 ? facts.st_mode & 0o777 : nil
    }

    @Test func onlyOwnerAndGroupRead() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/crowdsec.db"
        let connection = try SQLiteConnection.open(SQLiteSettings(path: path))
        try connection.execute("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        #expect(mode(path) == 0o640)
        #expect(mode(path + "-wal").map { $0 & 0o027 } == 0)
    }

    /// The mask of a process is one for all its threads: two that set it and set it back can leave it set for ever.
    @Test func filesMadeMeanwhileHaveTheirUsualMode() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        close(open(path + "/usual", O_WRONLY | O_CREAT, 0o666))
        let usual = mode(path + "/usual")
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask { _ = try? SQLiteConnection.open(SQLiteSettings(path: "\(path)/\(number).db")) }
                group.addTask {
                    for part in 0..<50 { close(open("\(path)/\(number)-\(part)", O_WRONLY | O_CREAT, 0o666)) }
                }
            }
        }
        for number in 0..<16 {
            for part in 0..<50 { #expect(mode("\(path)/\(number)-\(part)") == usual) }
        }
    }
}
