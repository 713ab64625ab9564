/// Figures of one comparison of the kernel with what was decided.
struct Verification: Equatable, Sendable {
    var decided = 0
    var enforced = 0
    var drift = 0
    var repaired = 0
    var refused = 0
    /// Why the kernel refused the last of those refused.
    var cause: String?

    mutating func refuse(_ count: Int, _ cause: String) {
        guard count > 0 else { return }
        refused += count
        self.cause = cause
    }
}
