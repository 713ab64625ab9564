import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdStore

/// Alerts whose rows go in with many rows a statement.
@Suite("Rows of an alert") struct RowInsertionTests {
    @Test(arguments: TestDatabase.present, [0, 1, 2, 3, 7, 64, 77, 131])
    func keepTheirOrderAndIds(_ database: TestDatabase, _ count: Int) async throws {
        let temporary = try TemporaryStore(database)
        var new = TemporaryStore.alert(decisions: 0, events: count)
        new.alert.meta = (0..<count).map { MetaItem(key: "k\($0)", value: "v") }
        new.decisions = (0..<count).map { index in
            let value = "10.0.\(index / 256).\(index % 256)"
            let decision = Decision(
                origin: "cscli", type: "ban", scope: "Ip", value: value, scenario: "s", duration: "4h")
            return NewDecision(decision, until: .now() + .seconds(100), range: IPRange(value))
        }
        let alert = new
        let stored = try await temporary.store.write { session throws(StoreError) in
            try AlertInsertion.insert(alert, at: .now(), in: session)
        }
        let found = try await temporary.store.read { session throws(StoreError) in
            try AlertSearch.find(AlertFilter(), now: .now(), in: session)
        }
        let values = alert.decisions.map(\.decision.value)
        #expect(stored.decisions.map(\.value) == values)
        #expect((found.first?.decisions ?? []).map(\.value) == values)
        #expect((found.first?.decisions ?? []).map(\.id) == stored.decisions.map(\.id))
        #expect(found.first?.events.map { $0.meta?.first?.value } == (0..<count).map { "\($0)" })
        #expect(found.first?.meta.map(\.key) == (0..<count).map { "k\($0)" })
        await temporary.store.close()
    }
}
