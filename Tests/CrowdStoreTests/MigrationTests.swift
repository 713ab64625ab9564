import CrowdCore
import CrowdStore
import Glibc
import Testing

/// A database in the form that CrowdSec 1.4 made; `Tests/Accept` takes over one that 1.4.6 itself wrote.
@Suite("Migration") struct MigrationTests {
    private static let stamps = "`created_at` datetime NULL, `updated_at` datetime NULL"
    private static let id = "`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, \(stamps)"
    private static let moment = "2026-11-21 08:17:29.5+00:00"

    private static let tables = [
        """
        CREATE TABLE machines (\(id), last_push datetime, last_heartbeat datetime, machine_id text NOT NULL,
          password text NOT NULL, ip_address text NOT NULL, scenarios text, version text,
          is_validated bool NOT NULL DEFAULT false, status text, auth_type text NOT NULL DEFAULT 'password')
        """,
        """
        CREATE TABLE bouncers (\(id), name text NOT NULL, api_key text NOT NULL, revoked bool NOT NULL,
          ip_address text DEFAULT '', type text, version text, until datetime, last_pull datetime NOT NULL,
          auth_type text NOT NULL DEFAULT 'api-key')
        """,
        """
        CREATE TABLE alerts (\(id), scenario text NOT NULL, bucket_id text DEFAULT '', message text DEFAULT '',
          events_count integer DEFAULT 0, started_at datetime, stopped_at datetime, source_ip text, source_range text,
          source_as_number text, source_as_name text, source_country text, source_latitude real, source_longitude real,
          source_scope text, source_value text, capacity integer, leak_speed text, scenario_version text,
          scenario_hash text, simulated bool NOT NULL DEFAULT false, machine_alerts integer,
          FOREIGN KEY (machine_alerts) REFERENCES machines (id) ON DELETE SET NULL)
        """,
        """
        CREATE TABLE decisions (\(id), until datetime, scenario text NOT NULL, type text NOT NULL, start_ip integer,
          end_ip integer, start_suffix integer, end_suffix integer, ip_size integer, scope text NOT NULL,
          value text NOT NULL, origin text NOT NULL, simulated bool NOT NULL DEFAULT false, alert_decisions integer,
          FOREIGN KEY (alert_decisions) REFERENCES alerts (id) ON DELETE CASCADE)
        """,
        "CREATE UNIQUE INDEX bouncers_name_key ON bouncers (name)",
        "CREATE INDEX decision_value ON decisions (value)",
    ]

    private static let rows = [
        "INSERT INTO machines (id, machine_id, password, ip_address, is_validated) VALUES (3, 'm', 'hash', '', 1)",
        """
        INSERT INTO bouncers (created_at, updated_at, name, api_key, revoked, last_pull)
        VALUES ('\(moment)', '\(moment)', 'edge', 'k', 0, '\(moment)')
        """,
        """
        INSERT INTO alerts (id, created_at, scenario, source_scope, source_value, started_at, machine_alerts)
        VALUES (7, '\(moment)', 'ssh-bf', 'Ip', '192.0.2.7', '\(moment)', 3)
        """,
        """
        INSERT INTO decisions (id, created_at, until, scenario, type, ip_size, scope, value, origin, alert_decisions)
        VALUES (9, '\(moment)', '2036-01-01 00:00:00+00:00', 'ssh-bf', 'ban', 4, 'Ip', '192.0.2.7', 'crowdsec', 7)
        """,
        "UPDATE sqlite_sequence SET seq = 40 WHERE name = 'decisions'",
    ]

    /// A folder with such a database, removed with whatever was put beside it.
    private final class OldDatabase {
        let path: String

        init() throws {
            var template = Array("/tmp/crowd-migration-XXXXXX".utf8CString)
            _ = mkdtemp(&template)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/crowdsec.db"
            let connection = try SQLiteConnection(path: path)
            for statement in tables + rows { try connection.execute(statement) }
        }

        deinit {
            let folder = String(path.dropLast("/crowdsec.db".count))
            guard let listing = opendir(folder) else { return }
            while let entry = readdir(listing) {
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) {
                        _ = unlink(folder + "/" + String(cString: $0))
                    }
                }
            }
            closedir(listing)
            rmdir(folder)
        }
    }

    @Test func keepsRowsIdsAndLinks() async throws {
        let database = try OldDatabase()
        let path = database.path
        let store = try SQLiteStore(settings: SQLiteSettings(path: path))
        #expect(store.migrations.count == 1)
        let (machine, bouncer, alerts) = try await store.read { session throws(StoreError) in
            (
                try MachineQueries.find("m", in: session), try BouncerQueries.find("edge", in: session),
                try AlertSearch.find(AlertFilter(), now: Timestamp(seconds: 1_795_000_000), in: session)
            )
        }
        #expect(machine?.id == 3 && machine?.isValidated == true)
        #expect(bouncer?.keyHash == "k" && bouncer?.lastPull == Timestamp(sqlite: Self.moment))
        #expect(bouncer?.isAutoCreated == false)
        #expect(alerts.map(\.id) == [7] && alerts.first?.machineID == "m")
        #expect(alerts.first?.decisions?.map(\.id) == [9])
        await store.close()
    }

    @Test func neverGivesAnIdTwice() async throws {
        let database = try OldDatabase()
        let store = try SQLiteStore(settings: SQLiteSettings(path: database.path))
        let stored = try await store.write { session throws(StoreError) in
            try AlertInsertion.insert(TemporaryStore.alert(), at: .now(), in: session)
        }
        #expect(stored.decisions.map(\.id) == [41])
        await store.close()
    }

    @Test func copiesTheOldFileAndRunsOnce() async throws {
        let database = try OldDatabase()
        let path = database.path
        for expected in [1, 0] {
            let store = try SQLiteStore(settings: SQLiteSettings(path: path))
            #expect(store.migrations.count == expected)
            if let line = store.migrations.first, let name = line.split(separator: "copy=").last {
                let copy = try SQLiteConnection(path: String(name))
                let columns = try copy.all("SELECT name FROM pragma_table_info('bouncers')") { $0.text(0) }
                #expect(columns.contains("until") && !columns.contains("osname"))
            }
            await store.close()
        }
    }

    /// Two within a second, whose copies would have one name.
    @Test func aCopyNeverTakesThePlaceOfAnother() async throws {
        let database = try OldDatabase()
        var copies: Set<Substring> = []
        for _ in 0..<3 {
            let store = try SQLiteStore(settings: SQLiteSettings(path: database.path))
            copies.formUnion(store.migrations.compactMap { $0.split(separator: "copy=").last })
            await store.close()
            let old = try SQLiteConnection(path: database.path)
            try old.execute("ALTER TABLE bouncers DROP COLUMN osname")
        }
        #expect(copies.count == 3)
    }

    /// CrowdSec 1.4 gives a file of ours its own form again, and the number of the form stays.
    @Test func migratesWhatWentBackToTheOldForm() async throws {
        let database = try OldDatabase()
        let first = try SQLiteStore(settings: SQLiteSettings(path: database.path))
        await first.close()
        let old = try SQLiteConnection(path: database.path)
        try old.execute("ALTER TABLE bouncers DROP COLUMN osname; ALTER TABLE decisions DROP COLUMN uuid")
        let store = try SQLiteStore(settings: SQLiteSettings(path: database.path))
        #expect(store.migrations.count == 1)
        let names = try await store.read { session throws(StoreError) in
            try BouncerQueries.all(in: session).map(\.name)
        }
        #expect(names == ["edge"])
        // What only the older version has stays, or its `cscli` would fail in the midst of its work.
        let columns = try old.all("SELECT name FROM pragma_table_info('bouncers')") { $0.text(0) }
        #expect(columns.contains("until") && columns.contains("osname"))
        await store.close()
    }

    @Test func refusesWhatIsNewerThanItself() throws {
        let database = try OldDatabase()
        let path = database.path
        try SQLiteConnection(path: path).execute("PRAGMA user_version=1000")
        #expect(throws: StoreError.self) { try SQLiteStore(settings: SQLiteSettings(path: path)) }
    }
}
