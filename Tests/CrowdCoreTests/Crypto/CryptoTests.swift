import CrowdCore
import Testing

@Suite("Crypto") struct CryptoTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
    func sha256(_ text: String, _ digest: String) { #expect(Hex.encode(Digest.sha256(text.utf8)) == digest) }

    @Test func sha512() {
        #expect(
            Hex.encode(Digest.sha512("abc".utf8))
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
    }

    /// RFC 4231, test case 2.
    @Test func hmac() {
        let mac = Digest.hmacSHA256(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        #expect(Hex.encode(mac) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64(_ plain: String, _ text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == text)
        #expect(Base64.encode(Array(plain.utf8), padded: false) == text.replacing("=", with: ""))
        #expect(Base64.decode(text) == Array(plain.utf8))
        #expect(Base64.decode(text.replacing("=", with: "")) == Array(plain.utf8))
    }

    @Test func base64Alphabets() {
        #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
        #expect(Base64.encode([0xFB, 0xFF], .url, padded: false) == "-_8")
        #expect(Base64.decode("-_8", .url) == [0xFB, 0xFF])
    }

    @Test(arguments: ["A", "Zg=x", "Zh==", "Zm8\u{0}", "====", "Zm 9v"])
    func base64Refuses(_ text: String) { #expect(Base64.decode(text) == nil) }

    @Test func passwords() throws {
        let hash = try #require(PasswordHash.make("correct horse", cost: 4))
        #expect(hash.hasPrefix("$2a$04$") && hash.utf8.count == 60)
        #expect(PasswordHash.check("correct horse", against: hash))
        #expect(!PasswordHash.check("correct horsf", against: hash))
        #expect(!PasswordHash.check("correct horse\0", against: hash))
        #expect(PasswordHash.make(String(repeating: "x", count: 73)) == nil)
        #expect(PasswordHash.make("a\0b") == nil)
    }

    /// A widely published vector, made by another implementation.
    @Test func foreignHash() {
        let hash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
        #expect(!PasswordHash.check("wrong", against: hash))
        for bad in ["", "*0", "$2a$10$short", String(repeating: "$", count: 60)] {
            #expect(!PasswordHash.check("x", against: bad))
        }
    }

    @Test func uuidsAreVersion4() {
        let uuid = SecureRandom.uuid()
        let shape = uuid.split(separator: "-", omittingEmptySubsequences: false).map(\.count)
        #expect(shape == [8, 4, 4, 4, 12])
        #expect(Array(uuid)[14] == "4" && "89ab".contains(Array(uuid)[19]))
        #expect(SecureRandom.uuid() != uuid)
        #expect(SecureRandom.text(300, of: "ab").allSatisfy { $0 == "a" || $0 == "b" })
    }
}
