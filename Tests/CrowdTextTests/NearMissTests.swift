import CrowdCore
import Testing

@testable import CrowdText

@Suite("Near misses") struct NearMissTests {
    @Test(arguments: [
        // pattern, text, what it matches of that, what it goes on with
        ("^user=%{WORD:u} ip=%{IPV4:ip}$", "user=bob ip=host", "user=bob ip=", nil as String?),
        ("^Failed password for %{WORD:u}$", "Failed password of bob", "Failed password ", "for "),
        ("^(login|logout) of %{WORD:u} done", "logout of bob failed", "logout of bob ", "done"),
        ("^a(b(c(d)))e", "abcx", "abc", "de"),
        ("^(?:x|ab(?:1|cd))!", "abc", "abc", "d"),
        ("^key: (?:[0-9]+;){2}", "key: 12,", "key: 12", "\\;"),
    ])
    func isWhereTheLongestBeginningEnds(_ pattern: String, _ text: String, _ matched: String, _ expected: String?)
        throws
    {
        var library = GrokLibrary.standard(accelerated: false)
        let grok = try library.compile(pattern)
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBufferPointer { buffer in
            let miss = try #require(grok.nearMiss(in: ByteSlice(buffer)))
            #expect(String(decoding: bytes[miss.matched], as: UTF8.self) == matched)
            if let expected { #expect(miss.expected == expected) }
        }
    }

    @Test(arguments: [("^a", "a"), ("^abc", "xyz"), ("^abc", "")])
    func thereIsNone(_ pattern: String, _ text: String) throws {
        var library = GrokLibrary.standard(accelerated: false)
        let grok = try library.compile(pattern)
        Array(text.utf8).withUnsafeBufferPointer { #expect(grok.nearMiss(in: ByteSlice($0)) == nil) }
    }
}
