import CCrypto

/// Ed25519 (RFC 8032) through libcrypto. Keys are 32 bytes, signatures 64.
public struct SigningKey: Sendable {
    /// Secret.
    public let seed: [UInt8]

    /// nil unless there are 32 bytes.
    public init?(seed: [UInt8]) {
        guard seed.count == 32 else { return nil }
        self.seed = seed
    }

    public static func random() -> SigningKey? { SigningKey(seed: SecureRandom.bytes(32)) }

    /// nil only when libcrypto cannot.
    public var publicKey: [UInt8]? {
        var out = [UInt8](repeating: 0, count: 32)
        return crowd_ed25519_public(seed, &out) == 1 ? out : nil
    }

    public func sign(_ message: [UInt8]) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: 64)
        return crowd_ed25519_sign(seed, message, message.count, &out) == 1 ? out : nil
    }

    public static func isGenuine(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool {
        guard signature.count == 64, publicKey.count == 32 else { return false }
        return crowd_ed25519_verify(publicKey, message, message.count, signature) == 1
    }
}
