import Synchronization

/// Tokens that were found genuine: a machine shows the same one with every request of an hour.
final class VerifiedTokens: Sendable {
    /// Machines with a token in use; beyond that the cache starts over.
    private static let limit = 8192

    private let known = Mutex<[String: TokenIssuer.Claims]>([:])

    /// Whom a token names; nil when it was not seen yet, or is too old.
    func machine(of token: String, at seconds: Int64) -> String? {
        known.withLock { known in
            guard let claims = known[token], seconds <= claims.expires else { return nil }
            return claims.machineID
        }
    }

    func add(_ token: String, _ claims: TokenIssuer.Claims) {
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[token] = claims
        }
    }
}
