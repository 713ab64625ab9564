import CCrypto

/// Message digests through libcrypto.
public enum Digest {
    /// 32 bytes.
    public static func sha256(_ message: some Sequence<UInt8>) -> [UInt8] { hash(message, length: 32, crowd_sha256) }

    /// 64 bytes.
    public static func sha512(_ message: some Sequence<UInt8>) -> [UInt8] { hash(message, length: 64, crowd_sha512) }

    /// RFC 2104 with SHA-256: 32 bytes.
    public static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        let done = crowd_hmac_sha256(key, key.count, message, message.count, &out)
        precondition(done == 1, "libcrypto cannot compute HMAC-SHA256")
        return out
    }

    /// Whether both are the same bytes; the time depends on the length only.
    public static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && crowd_equal(a, b, a.count) == 1
    }

    private typealias Function = (UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>?) -> Int32

    /// Fails only when libcrypto is out of memory or built without the digest: nothing from outside can cause it.
    private static func hash(_ message: some Sequence<UInt8>, length: Int, _ function: Function) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: length)
        let bytes = Array(message)
        let done = function(bytes, bytes.count, &out)
        precondition(done == 1, "libcrypto cannot compute a \(length * 8)-bit digest")
        return out
    }
}

/// Bytes from the system's cryptographic generator.
public enum SecureRandom {
    public static func bytes(_ count: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        let done = crowd_random(&out, count)
        precondition(done == 1, "the system gives no random bytes")
        return out
    }

    /// `count` characters out of `alphabet` (at most 256 bytes), each equally likely.
    public static func text(_ count: Int, of alphabet: StaticString) -> String {
        let size = alphabet.utf8CodeUnitCount
        let limit = 256 - 256 % size
        var out: [UInt8] = []
        while out.count < count {
            for byte in bytes(count - out.count) where Int(byte) < limit {
                out.append(alphabet.utf8Start[Int(byte) % size])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A version 4 UUID in lower case.
    public static func uuid() -> String {
        uuid(bytes(16))
    }

    /// The version 4 UUID that 16 random bytes make.
    public static func uuid(_ random: [UInt8]) -> String {
        var raw = random
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: 36) { text in
            var at = 0
            for (index, byte) in raw.prefix(16).enumerated() {
                if [4, 6, 8, 10].contains(index) {
                    text[at] = UInt8(ascii: "-")
                    at += 1
                }
                text[at] = digits.utf8Start[Int(byte >> 4)]
                text[at + 1] = digits.utf8Start[Int(byte & 15)]
                at += 2
            }
            return at
        }
    }
}
