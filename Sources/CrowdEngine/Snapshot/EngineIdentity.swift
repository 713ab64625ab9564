import CrowdCore

/// What makes an engine go on as the same one after a restart: the secret behind its alerts' uuids and behind the
/// hashes that `distinct` keeps.
///
/// A line that is processed again (after a kill, from the last checkpoint) gives an alert with the uuid that it gave
/// the first time, so that it can be recognised here and at the Local API.
public struct EngineIdentity: Sendable, Equatable {
    /// 16 random bytes.
    public let key: [UInt8]

    public init() { key = SecureRandom.bytes(16) }

    /// nil unless `key` has 16 bytes.
    public init?(key: [UInt8]) {
        guard key.count == 16 else { return nil }
        self.key = key
    }

    /// For hashes that are kept across restarts.
    var hashKey: UInt64 { key.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// A version 4 UUID that depends on `facts` and on the secret alone.
    func uuid(_ facts: ByteWriter) -> String {
        SecureRandom.uuid(Array(Digest.hmacSHA256(key: key, facts.bytes).prefix(16)))
    }
}
