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
    var hashKey: UInt64 { half(0) }

    private func half(_ number: Int) -> UInt64 {
        key[(number * 8)..<(number * 8 + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A version 4 UUID that depends on `facts` and on the secret alone: two keyed hashes of 64 bits. It must not collide
    /// by chance or by lines that somebody chose without knowing the key; it is no signature.
    func uuid(_ facts: ByteWriter) -> String {
        var digest = ByteWriter()
        facts.bytes.withUnsafeBufferPointer { bytes in
            digest.number(ByteSlice(bytes).hash(keyedBy: half(0)))
            digest.number(ByteSlice(bytes).hash(keyedBy: half(1)))
        }
        return SecureRandom.uuid(digest.bytes)
    }
}
