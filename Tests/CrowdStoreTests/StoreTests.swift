import CrowdCore
import CrowdStore
import CrowdTestSupport
import Synchronization
import Testing

/// Counts across threads.
final class Counter: Sendable {
    private let count = Mutex(0)
    func increment() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
}

@Suite("Store") struct StoreTests {
    @Test(arguments: TestDatabase.present) func storesAndFindsAnAlert(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        let now = Timestamp.now()
        let stored = try await temporary.store.write { session throws(StoreError) in
            try AlertInsertion.insert(TemporaryStore.alert(decisions: 2, events: 3), at: now, in: session)
        }
        #expect(stored.isNew && stored.decisions.count == 2)
        let alerts = try await temporary.store.read { session throws(StoreError) in
            try AlertSearch.find(AlertFilter(), now: now, in: session)
        }
        let alert = try #require(alerts.first)
        #expect(alert.id == stored.id && alert.machineID == "N/A")
        #expect(alert.events.map(\.timestamp) == Array(repeating: "2026-11-21 08:17:29 +0000 UTC", count: 3))
        #expect(alert.events.last?.meta == [MetaItem(key: "n", value: "2")])
        #expect(alert.decisions?.map(\.duration) == ["4h0m0s", "4h0m0s"])
        #expect(alert.decisions?.first?.simulated == false)
        await temporary.store.close()
    }

    @Test(arguments: TestDatabase.present) func sameUUIDIsStoredOnce(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        let new = TemporaryStore.alert()
        var ids: [Int64] = []
        for _ in 0..<2 {
            ids.append(
                try await temporary.store.write { session throws(StoreError) in
                    try AlertInsertion.insert(new, at: .now(), in: session).id
                })
        }
        #expect(ids[0] == ids[1])
        await temporary.store.close()
    }

    /// One job of a shared transaction fails after its first insert; its neighbours stay, it leaves nothing.
    @Test(arguments: TestDatabase.present) func aFailingJobUndoesOnlyItself(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        let committed = Counter()
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<60 {
                group.addTask {
                    _ = try? await temporary.store.write(
                        { session throws(StoreError) in
                            let id = try AlertInsertion.insert(TemporaryStore.alert(), at: .now(), in: session).id
                            if index % 3 == 0 { throw StoreError(.constraint, "refused") }
                            return id
                        }, afterCommit: { _ in committed.increment() })
                }
            }
        }
        let count = try await temporary.store.read { session throws(StoreError) in
            try AlertSearch.count(AlertFilter(), now: .now(), in: session)
        }
        #expect(count == 40)
        #expect(committed.value == 40)
        await temporary.store.close()
    }

    @Test(arguments: TestDatabase.present) func noticesForeignChanges(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self)
        temporary.store.onForeignChange { _, _ in continuation.yield() }
        let other = try temporary.connection()
        try other.transaction { () throws(StoreError) in
            _ = try BouncerQueries.insert(
                BouncerRecord(name: "edge", keyHash: BouncerRecord.hash(ofKey: "k")), at: .now(), in: other)
        }
        var iterator = changes.makeAsyncIterator()
        await iterator.next()
        let names = try await temporary.store.read { session throws(StoreError) in
            try BouncerQueries.all(in: session).map(\.name)
        }
        #expect(names == ["edge"])
        await temporary.store.close()
    }

    /// An older `cscli` drops the columns that it does not know from the tables of a running server.
    @Test(arguments: TestDatabase.present)
    func restoresWhatAnOlderProgramTookAway(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        let (repairs, continuation) = AsyncStream.makeStream(of: [String].self)
        temporary.store.onForeignChange { change, _ in
            if case .repaired(let steps) = change { continuation.yield(steps) }
        }
        try await Self.use(temporary.store)
        let other = try temporary.connection()
        for table in ["machines", "bouncers"] {
            for column in ["osname", "osfamily", "osversion", "featureflags"] {
                try other.execute("ALTER TABLE \(table) DROP COLUMN \(column)")
            }
        }
        // A server hears of it from its own failures where the database does not tell.
        for _ in 0..<3 { try? await Self.use(temporary.store) }
        var iterator = repairs.makeAsyncIterator()
        #expect(await iterator.next()?.count == 1)
        var failures = 0
        while failures < 10 {
            do {
                try await Self.use(temporary.store)
                break
            } catch { failures += 1 }
        }
        #expect(failures < 10)
        await temporary.store.close()
    }

    private static func use(_ store: any Store) async throws(StoreError) {
        _ = try await store.read { session throws(StoreError) in try MachineQueries.all(in: session).count }
        _ = try await store.write { session throws(StoreError) in try BouncerQueries.all(in: session).count }
    }

    @Test(arguments: TestDatabase.present) func whatAnAgentSaysOfItselfMayHoldAnything(_ database: TestDatabase)
        async throws
    {
        let texts = [
            (#"{"a":"x\u0000y"}"#, "x\u{fffd}y"), (#"{"a":"\\u0000"}"#, #"\u0000"#),
            (#"{"a":"\\\u0000\\"}"#, "\\\u{fffd}\\"), (#"{"a":"é\n\u0001"}"#, "é\n\u{1}"),
        ]
        let temporary = try TemporaryStore(database)
        for (text, value) in texts {
            let found = try await temporary.store.write { session throws(StoreError) in
                var machine = MachineRecord(machineID: "edge", passwordHash: "")
                if try MachineQueries.find("edge", in: session) == nil {
                    _ = try MachineQueries.insert(machine, at: .now(), in: session)
                }
                (machine.hubState, machine.dataSources) = (text, "")
                try MachineQueries.updateSystem(machine, in: session)
                return try MachineQueries.find("edge", in: session)
            }
            #expect(try JSON.parse(Array((found?.hubState ?? "").utf8))["a"]?.string == value)
            #expect(found?.dataSources == "")
        }
        await temporary.store.close()
    }

    @Test(arguments: TestDatabase.present) func aScopeBelongsToAName(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        let scopes = try await temporary.store.write { session throws(StoreError) in
            try MachineQueries.setScope(.alerts, of: "edge", in: session)
            try MachineQueries.setScope(.alerts, of: "edge", in: session)
            try MachineQueries.setScope(.alerts, of: "other", in: session)
            try MachineQueries.setScope(.full, of: "other", in: session)
            try session.run("INSERT INTO crowd_machine_scopes (machine_id, scope) VALUES ('odd', 'of-tomorrow')", [])
            return try MachineQueries.scopes(in: session)
        }
        #expect(scopes == ["edge": .alerts, "odd": .alerts])
        await temporary.store.close()
    }

    /// A flush takes a large alert in several steps.
    @Test(arguments: TestDatabase.present) func deletesAlertsInSteps(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        let steps = try await temporary.store.write { session throws(StoreError) in
            var alerts: [Int64] = []
            for decisions in [2, 7, 1] {
                let new = TemporaryStore.alert(decisions: decisions)
                alerts.append(try AlertInsertion.insert(new, at: .now(), in: session).id)
            }
            var steps: [[Int]] = []
            while !alerts.isEmpty {
                let (count, gone) = try AlertDeletion.deleteSome(alerts, rows: 4, in: session)
                alerts.removeFirst(count)
                steps.append([count, gone.count])
            }
            return steps
        }
        #expect(steps.map { $0[0] }.reduce(0, +) == 3 && steps.map { $0[1] }.reduce(0, +) == 10)
        #expect(steps.allSatisfy { $0[1] <= 5 } && steps.count > 2)
        let left = try await temporary.store.read { session throws(StoreError) in
            try session.first("SELECT count(*) FROM decisions") { $0.int(0) }
        }
        #expect(left == 0)
        await temporary.store.close()
    }

    @Test(arguments: TestDatabase.present) func closedStoreRefuses(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        await temporary.store.close()
        await #expect(throws: StoreError(.closed, "the store is closing")) {
            try await temporary.store.write { _ throws(StoreError) in 1 }
        }
    }

    @Test(arguments: TestDatabase.present) func longEventMetaIsCutToTheColumn(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        var new = TemporaryStore.alert()
        new.alert.events[0].meta = [
            MetaItem(key: "long", value: String(repeating: "é", count: 9000)), MetaItem(key: "short", value: "x"),
        ]
        let alert = new
        let found = try await temporary.store.write { session throws(StoreError) in
            _ = try AlertInsertion.insert(alert, at: .now(), in: session)
            return try AlertSearch.find(AlertFilter(), now: .now(), in: session)
        }
        let meta = try #require(found.first?.events.first?.meta)
        #expect(meta[0].value == String(repeating: "é", count: 1024) + "<stripped>")
        #expect(meta[1].value == "x")
        await temporary.store.close()
    }

    @Test(
        arguments: TestDatabase.present,
        [
            ("192.0.2.0/24", true, 0), ("192.0.2.7", true, 1), ("192.0.2.0/24", false, 1),
            ("192.0.3.0/24", false, 0), ("::/0", false, 0),
        ])
    func findsAlertsByTheirDecisionsRange(_ database: TestDatabase, _ asked: (String, Bool, Int)) async throws {
        let (range, contains, count) = asked
        let temporary = try TemporaryStore(database)
        var filter = AlertFilter()
        filter.range = IPRange(range)
        filter.contains = contains
        let wanted = filter
        let found = try await temporary.store.write { session throws(StoreError) in
            _ = try AlertInsertion.insert(TemporaryStore.alert(), at: .now(), in: session)
            return try AlertSearch.count(wanted, now: .now(), in: session)
        }
        #expect(found == count)
        await temporary.store.close()
    }

    @Test(arguments: TestDatabase.present) func everyFilterIsSQL(_ database: TestDatabase) async throws {
        let temporary = try TemporaryStore(database)
        var filter = AlertFilter()
        (filter.scope, filter.value, filter.scenario) = ("Ip", "192.0.2.7", "crowdsecurity/ssh-bf")
        (filter.startedAfter, filter.startedBefore) = (Timestamp(seconds: 0), .now() + .seconds(60))
        (filter.decisionType, filter.origin, filter.hasActiveDecision) = ("ban", "crowdsec", true)
        (filter.excludesCommunity, filter.excludesSimulated, filter.kind) = (true, true, "")
        filter.createdBefore = .now() + .seconds(60)
        let asked = filter
        let found = try await temporary.store.write { session throws(StoreError) in
            _ = try AlertInsertion.insert(TemporaryStore.alert(), at: .now(), in: session)
            return try AlertSearch.count(asked, now: .now(), in: session)
        }
        #expect(found == 1)
        await temporary.store.close()
    }
}
