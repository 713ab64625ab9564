import CrowdCore
import Synchronization
import Testing

@testable import CrowdStore

@Suite("The writer of an SQLite file asks who waits") struct WriterPausesTests {
    @Test func aTransactionOfManyRowsIsPausedWhileItIsMadeAndWritten() async throws {
        let temporary = try TemporaryStore()
        let made = WriterPauses.whileMaking.load(ordering: .relaxed)
        let written = WriterPauses.whileWriting.load(ordering: .relaxed)
        let stored = try await temporary.store.write { session throws(StoreError) in
            try AlertInsertion.insert(TemporaryStore.alert(decisions: 2_000), at: .now(), in: session)
        }
        #expect(stored.decisions.count == 2_000)
        // Two steps a column at least, and a page for ten rows.
        #expect(WriterPauses.whileMaking.load(ordering: .relaxed) - made >= 100)
        #expect(WriterPauses.whileWriting.load(ordering: .relaxed) - written >= 5)
        await temporary.store.close()
    }
}
