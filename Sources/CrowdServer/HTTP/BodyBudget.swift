import Synchronization

/// Bytes of bodies that may be in memory at once, whoever sends them, each until its request is answered.
final class BodyBudget: Sendable {
    private let most: Int
    private let taken = Atomic<Int>(0)

    init(most: Int) { self.most = most }

    var used: Int { taken.load(ordering: .relaxed) }

    /// - Throws: 503 when there is no room for so many more.
    func take(_ bytes: Int) throws(Failure) {
        guard taken.add(bytes, ordering: .relaxed).newValue > most else { return }
        giveBack(bytes)
        throw .tooMuch
    }

    func giveBack(_ bytes: Int) { taken.subtract(bytes, ordering: .relaxed) }
}

/// What one request takes of a budget. Its first 32 KiB are free: whoever holds large bodies back keeps nobody from logging in,
/// and connections are counted elsewhere.
struct BodyShare {
    private static let free = 32 << 10

    private let budget: BodyBudget
    private var bytes = 0
    private var taken = 0

    init(_ budget: BodyBudget) { self.budget = budget }

    mutating func add(_ count: Int) throws(Failure) {
        bytes += count
        let owed = bytes - Self.free - taken
        guard owed > 0 else { return }
        try budget.take(owed)
        taken += owed
    }

    func giveBack() { budget.giveBack(taken) }
}
