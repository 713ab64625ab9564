import CrowdCore
import Testing

@testable import CrowdServer

@Suite("Machine tokens") struct TokenIssuerTests {
    let issuer = TokenIssuer(secret: Array("0123456789012345678901234567890123456789012345678901234567890123".utf8))
    let now = Timestamp(seconds: 1_795_249_045)

    @Test func areGoodForAnHour() throws {
        let issued = issuer.issue("agent", now: now)
        #expect(issued.expires.seconds == 1_795_252_645)
        #expect(try issuer.check(issued.token, now: now).machineID == "agent")
        #expect(try issuer.check(issued.token, now: now + .seconds(3600)).machineID == "agent")
        #expect(throws: Failure.unauthorized("token is expired by 1s")) {
            try issuer.check(issued.token, now: now + .seconds(3601))
        }
    }

    /// Seconds since it was issued, and whether it may still be exchanged for a new one.
    @Test(arguments: [(0, true), (3599, true), (3600, true), (3601, false), (7200, false)])
    func areRefreshedWithinTheHour(_ age: Int64, _ isTaken: Bool) {
        let token = issuer.issue("agent", now: now).token
        let claims = try? issuer.check(token, now: now + .seconds(age), isRefresh: true)
        #expect((claims?.machineID == "agent") == isTaken)
    }

    @Test func foreignAndBrokenOnesAreRefused() {
        let other = TokenIssuer().issue("agent", now: now).token
        #expect(throws: Failure.unauthorized("signature is invalid")) { try issuer.check(other, now: now) }
        for text in ["", "a", "a.b"] {
            #expect(throws: Failure.unauthorized("token contains an invalid number of segments")) {
                try issuer.check(text, now: now)
            }
        }
        // `alg: none` must not be taken for a signature that was checked.
        let none = Base64.encode(Array(#"{"alg":"none","typ":"JWT"}"#.utf8), .url, padded: false)
        let claims = Base64.encode(Array(#"{"id":"agent","exp":99999999999}"#.utf8), .url, padded: false)
        #expect(throws: Failure.unauthorized("signing method is invalid")) {
            try issuer.check("\(none).\(claims).", now: now)
        }
    }

    @Test func rememberedOnesRunOutToo() throws {
        let (known, issued) = (VerifiedTokens(), issuer.issue("agent", now: now))
        #expect(known.machine(of: issued.token, at: now.seconds) == nil)
        known.add(issued.token, try issuer.check(issued.token, now: now))
        #expect(known.machine(of: issued.token, at: now.seconds + 3600) == "agent")
        #expect(known.machine(of: issued.token, at: now.seconds + 3601) == nil)
        #expect(known.machine(of: issued.token + "x", at: now.seconds) == nil)
    }

    @Test(arguments: [
        ("edge", "edge"), ("edge@192.0.2.1", "edge"), ("edge@192.0.2.1@2001:db8::1", "edge"), ("a@b", "a@b"),
    ])
    func baseNames(_ name: String, _ base: String) { #expect(BouncerTable.baseName(name) == base) }
}
