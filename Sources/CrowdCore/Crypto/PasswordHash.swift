import CCrypto

/// Machine passwords as the reference stores them: bcrypt, `$2a$`, cost 10 (protocol facts A.3).
///
/// A hash or a check costs about 50 ms of one core: never call it on an event loop.
public enum PasswordHash {
    /// bcrypt looks at no more bytes than this; a longer password is refused rather than cut.
    public static let maxPasswordBytes = 72

    /// nil for a password over 72 bytes or one that holds a NUL.
    public static func make(_ password: String, cost: UInt = 10) -> String? {
        guard isAcceptable(password) else { return nil }
        var out = [CChar](repeating: 0, count: Int(CROWD_BCRYPT_LENGTH) + 1)
        guard crowd_bcrypt_hash(password, cost, &out) == 1 else { return nil }
        return String(decoding: out.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    public static func check(_ password: String, against hash: String) -> Bool {
        isAcceptable(password) && crowd_bcrypt_check(password, hash) == 1
    }

    private static func isAcceptable(_ password: String) -> Bool {
        password.utf8.count <= maxPasswordBytes && !password.utf8.contains(0)
    }
}
