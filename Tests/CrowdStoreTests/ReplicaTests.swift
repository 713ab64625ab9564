import CrowdCore
import CrowdTestSupport
import Synchronization
import Testing

@testable import CrowdStore

/// Keeps what a store tells of others.
private final class Listener: Sendable {
    private let state = Mutex((changed: [Int64: Timestamp](), gone: Set<Int64>(), clients: 0, anything: 0))

    func take(_ change: ForeignChange) {
        state.withLock { state in
            switch change {
            case .anything: state.anything += 1
            case .clients: state.clients += 1
            case .repaired: break
            case .decisions(let records, let gone):
                for record in records { state.changed[record.id] = record.until }
                state.gone.formUnion(gone)
            }
        }
    }

    var changed: [Int64: Timestamp] { state.withLock { $0.changed } }
    var gone: Set<Int64> { state.withLock { $0.gone } }
    var clients: Int { state.withLock { $0.clients } }
    var anything: Int { state.withLock { $0.anything } }
}

/// Several stores over one PostgreSQL database.
@Suite("Replicas", .enabled(if: PostgresServer.shared != nil)) struct ReplicaTests {
    private let directory: TemporaryDirectory
    private let config: DatabaseConfig
    private let (here, there): (any Store, any Store)
    private let listener = Listener()

    init() async throws {
        directory = try TemporaryDirectory()
        config = try TestDatabase.postgresql.config(in: directory)
        (here, there) = (try Database.store(config), try Database.store(config))
        let listener = listener
        here.onForeignChange { change, _ in listener.take(change) }
        await here.catchUp()
    }

    private func insert(_ new: NewAlert, into store: any Store) async throws -> StoredAlert {
        try await store.write { session throws(StoreError) in
            try AlertInsertion.insert(new, at: .now(), in: session)
        }
    }

    private func close() async {
        await here.close()
        await there.close()
    }

    @Test func catchingUpTellsWhatWasCommittedBefore() async throws {
        let mine = try await insert(TemporaryStore.alert(decisions: 3), into: here)
        let other = try await insert(TemporaryStore.alert(decisions: 2), into: there)
        await here.catchUp()
        #expect(Set(listener.changed.keys) == Set(other.decisions.map(\.id)))
        #expect(listener.anything == 1, "the first look compares everything, later ones do not")

        // Of one's own decisions another replica may change what it likes.
        let ids = mine.decisions.map(\.id)
        let now = Timestamp.now()
        _ = try await there.write { session throws(StoreError) in
            try DecisionQueries.expire([ids[0]], at: now, in: session)
        }
        await here.catchUp()
        #expect(listener.changed[ids[0]].map { ($0 - now).nanoseconds.magnitude < 1000 } == true)
        _ = try await there.write { session throws(StoreError) in
            try AlertDeletion.deleteSome([mine.id], rows: 100, in: session)
        }
        await here.catchUp()
        #expect(listener.gone == Set(ids))
        await close()
    }

    /// Ids are given when a row is made and seen when it is committed: the first may be seen last.
    @Test func seesWhatWasNumberedEarlyAndCommittedLate() async throws {
        let slow = try Database.connection(config, applicationName: "test")
        try slow.execute("BEGIN")
        let early = try AlertInsertion.insert(TemporaryStore.alert(), at: .now(), in: slow)
        let late = try await insert(TemporaryStore.alert(), into: there)
        await here.catchUp()
        #expect(Set(listener.changed.keys) == Set(late.decisions.map(\.id)))
        try slow.execute("COMMIT")
        await here.catchUp()
        #expect(early.decisions[0].id < late.decisions[0].id)
        #expect(Set(listener.changed.keys) == Set((early.decisions + late.decisions).map(\.id)))
        await close()
    }

    @Test func hearsOfOtherPrograms() async throws {
        let database = try #require(config.name)
        let server = try #require(PostgresServer.shared)
        let other = try await insert(TemporaryStore.alert(), into: there)
        await here.catchUp()
        try server.sql("UPDATE decisions SET until = now() - interval '1 hour'", in: database)
        await here.catchUp()
        let until = try #require(listener.changed[other.decisions[0].id])
        #expect(until < .now())
        try server.sql(
            """
            INSERT INTO machines (created_at, updated_at, machine_id, password, ip_address)
            VALUES (now(), now(), 'm', 'x', '')
            """, in: database)
        await here.catchUp()
        #expect(listener.clients == 1)
        // Contact times are everybody's business and nobody's news.
        try server.sql("UPDATE machines SET last_heartbeat = now()", in: database)
        await here.catchUp()
        #expect(listener.clients == 1)
        await close()
    }

    @Test func isToldWithoutAsking() async throws {
        let (changes, continuation) = AsyncStream.makeStream(of: Int64.self)
        here.onForeignChange { change, _ in
            if case .decisions(let records, _) = change { for record in records { continuation.yield(record.id) } }
        }
        let other = try await insert(TemporaryStore.alert(), into: there)
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() == other.decisions[0].id)
        await close()
    }

    @Test func oneKeepsHouseAndAnotherTakesOver() async throws {
        #expect(await here.isKeeper())
        #expect(await here.isKeeper())
        #expect(await !there.isKeeper())
        await here.close()
        var isKeeper = false
        // The server notices the end of a connection a moment later.
        for _ in 0..<200 where !isKeeper {
            isKeeper = await there.isKeeper()
            if !isKeeper { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(isKeeper)
        await there.close()
    }

    @Test func anAlertSentToTwoReplicasIsStoredOnce() async throws {
        let new = TemporaryStore.alert()
        let first = try await insert(new, into: here)
        let second = try await insert(new, into: there)
        #expect(first.id == second.id && !second.isNew)
        await close()
    }
}

@Suite("PostgreSQL server that goes away", .enabled(if: PostgresServer.shared != nil)) struct LostServerTests {
    /// A server of its own: others need theirs.
    @Test func comesBackAndMissesNothing() async throws {
        let server = try PostgresServer()
        let directory = try TemporaryDirectory()
        let config = try TestDatabase.config(try server.yaml(database: "postgres"), in: directory)
        let (here, there) = (try Database.store(config), try Database.store(config))
        let listener = Listener()
        here.onForeignChange { change, _ in listener.take(change) }
        await here.catchUp()
        try server.restart()
        // Each store finds its connection dead at the next use, and makes another.
        var stored: StoredAlert?
        for _ in 0..<100 where stored == nil {
            stored = try? await there.write { session throws(StoreError) in
                try AlertInsertion.insert(TemporaryStore.alert(), at: .now(), in: session)
            }
            if stored == nil { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(stored != nil)
        var rounds = 0
        while listener.anything < 2 && rounds < 200 {
            rounds += 1
            await here.catchUp()
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(listener.anything == 2, "after a lost connection everything is compared")
        let count = try await here.read { session throws(StoreError) in
            try AlertSearch.count(AlertFilter(), now: .now(), in: session)
        }
        #expect(count == 1)
        await here.close()
        await there.close()
    }

    @Test(arguments: [
        ("SELECT a FROM b WHERE c = ? AND d = ?", "SELECT a FROM b WHERE c = $1 AND d = $2"), ("SELECT 1", "SELECT 1"),
    ])
    func questionMarksAreNumbered(_ text: String, _ expected: String) {
        #expect(PostgresConnection.numbered(text) == expected)
    }

    @Test func pausesGrowAndEnd() {
        var pause = BackOff()
        var now: UInt64 = 1_000
        var pauses: [UInt64] = []
        for _ in 0..<9 {
            pause.failed(at: now)
            let begin = now
            while !pause.mayTry(at: now) { now += 100 }
            pauses.append(now - begin)
        }
        #expect(pauses == [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
        pause.succeeded()
        #expect(pause.mayTry(at: now))
    }
}
