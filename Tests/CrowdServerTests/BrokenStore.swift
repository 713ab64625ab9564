import CrowdStore
import Synchronization
import Testing

/// A store whose writes fail, or wait, while they are told to.
final class BrokenStore: Store {
    private let base: any Store
    let failure = Mutex<StoreError?>(nil)
    /// The next that fails, by itself: counted down by each.
    let nextFailure = Mutex<(writes: Int, error: StoreError)?>(nil)

    let isHeld = Atomic<Bool>(false)
    /// Writes that wait.
    let held = Atomic<Int>(0)

    init(_ base: any Store) { self.base = base }

    /// A Local API over one.
    static func fixture() async throws -> (ServerFixture, BrokenStore) {
        let broken = Mutex<BrokenStore?>(nil)
        let fixture = try await ServerFixture(wrap: { base in
            let store = BrokenStore(base)
            broken.withLock { $0 = store }
            return store
        })
        return (fixture, try #require(broken.withLock { $0 }))
    }

    func write<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        afterCommit: @escaping @Sendable (R) -> Void
    ) async throws(StoreError) -> R {
        if let failure = failure.withLock({ $0 }) ?? countedDown() { throw failure }
        held.add(1, ordering: .relaxed)
        while isHeld.load(ordering: .relaxed) { try? await Task.sleep(for: .milliseconds(2)) }
        held.subtract(1, ordering: .relaxed)
        return try await base.write(body, afterCommit: afterCommit)
    }

    private func countedDown() -> StoreError? {
        nextFailure.withLock { next in
            next?.writes -= 1
            guard let error = next?.error, next?.writes == 0 else { return nil }
            next = nil
            return error
        }
    }

    func read<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R
    ) async throws(StoreError) -> R { try await base.read(body) }

    func onForeignChange(_ action: @escaping ForeignChange.Action) { base.onForeignChange(action) }
    func catchUp() async { await base.catchUp() }
    func isKeeper() async -> Bool { await base.isKeeper() }
    var isShared: Bool { base.isShared }
    var isReachable: Bool { failure.withLock { $0?.kind != .unavailable } }
    var migrations: [String] { base.migrations }
    func close() async { await base.close() }
}
