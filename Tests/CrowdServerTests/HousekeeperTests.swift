import CrowdCore
import CrowdStore
import Synchronization
import Testing

@testable import CrowdServer

@Suite("Housekeeper") struct HousekeeperTests {
    /// A flush may take minutes: whose time has come is answered meanwhile.
    @Test(.timeLimit(.minutes(1))) func timePassesWhileAFlushIsUnderWay() async throws {
        let (fixture, store) = try await BrokenStore.fixture()
        let api = fixture.api
        var housekeeper = Housekeeper(api: api, flush: { .init() })
        housekeeper.flushInterval = .milliseconds(1)
        let running = Task { [housekeeper] in await housekeeper.run() }
        store.isHeld.store(true, ordering: .relaxed)
        while store.held.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(2)) }
        let soon = Timestamp.now() + GoDuration(nanoseconds: 50_000_000)
        await api.decisions.waitForChange(after: 0, .stream, until: soon)
        #expect(store.held.load(ordering: .relaxed) > 0 && Timestamp.now() >= soon)
        running.cancel()
        store.isHeld.store(false, ordering: .relaxed)
        await running.value
        await fixture.remove()
    }
}
