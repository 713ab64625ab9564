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
