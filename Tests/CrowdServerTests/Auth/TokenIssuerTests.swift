import CrowdCore
import HTTPTypes
import Testing

@testable import CrowdServer

@Suite("Machine tokens") struct TokenIssuerTests {
    let secret = Array("0123456789012345678901234567890123456789012345678901234567890123".utf8)
    var issuer: TokenIssuer { TokenIssuer(secret: secret) }
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
    }

    struct Signed: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var algorithm = "HS256"
        var claims: String
        /// nil: it is good.
        var failure: Failure?

        init(_ name: String, _ claims: String, algorithm: String = "HS256", _ failure: Failure? = nil) {
            (testDescription, self.claims, self.algorithm, self.failure) = (name, claims, algorithm, failure)
        }
    }

    private static let usual = #""id":"agent","orig_iat":1795249045"#
    private static let good = "{\(usual),\"exp\":1795252645"

    /// All with the right signature: who else has the secret may have another clock, or other habits.
    static let signed = [
        Signed("as ours", good + "}"),
        Signed("more than we ask for", good + #","nbf":1795249045,"iat":1795249045,"aud":"x","sub":"y"}"#),
        Signed("fractions of seconds", "{\(usual),\"exp\":1795252645.5,\"nbf\":1795249044.9}"),
        Signed("not yet valid", good + #","nbf":1795249046}"#, .unauthorized("token is not valid yet")),
        Signed("issued later", good + #","iat":1795249046}"#, .unauthorized("token used before issued")),
        Signed("run out", "{\(usual),\"exp\":1795249044}", .unauthorized("token is expired by 1s")),
        Signed("run out long ago", "{\(usual),\"exp\":-1}", .unauthorized("token is expired by 498680h17m26s")),
        Signed("no end", "{\(usual)}", .wrongToken("missing exp field")),
        Signed("null for an end", "{\(usual),\"exp\":null}", .wrongToken("missing exp field")),
        Signed("words for an end", "{\(usual),\"exp\":\"1795252645\"}", .wrongToken("exp must be float64 format")),
        Signed("an end beyond all", "{\(usual),\"exp\":1e300}", .wrongToken("exp must be float64 format")),
        Signed("nobody's", #"{"exp":1795252645}"#, .unauthorized("token is malformed")),
        Signed("a number's", #"{"exp":1795252645,"id":5}"#, .unauthorized("token is malformed")),
        Signed("a list", "[]", .unauthorized("token is malformed")),
        Signed("no JSON", "x", .unauthorized("token is malformed")),
        // Whatever says so itself must not be taken for a signature that was checked.
        Signed("no algorithm", good + "}", algorithm: "none", .unauthorized("invalid signing algorithm")),
        Signed("another algorithm", good + "}", algorithm: "HS512", .unauthorized("invalid signing algorithm")),
    ]

    @Test(arguments: signed) func areJudgedByWhatTheySay(_ token: Signed) {
        let header = Base64.encode(Array(#"{"alg":"\#(token.algorithm)","typ":"JWT"}"#.utf8), .url, padded: false)
        let text = header + "." + Base64.encode(Array(token.claims.utf8), .url, padded: false)
        let signature = Base64.encode(Digest.hmacSHA256(key: secret, Array(text.utf8)), .url, padded: false)
        var failure: Failure?
        do { _ = try issuer.check("\(text).\(signature)", now: now) } catch { failure = error }
        #expect(failure == token.failure)
    }

    /// Of several fields the first counts, and a cookie where there is no token in it.
    @Test(
        arguments: [
            (["Bearer a", "Bearer b"], nil, "a"), (["Bearer a"], "jwt=c", "a"), ([], "x=y; jwt=c", "c"),
            (["Basic x"], "jwt=c", "c"), ([""], "jwt=c", "c"), (["Bearer"], nil, nil), (["bearer a"], nil, nil),
            ([], nil, nil),
        ] as [([String], String?, String?)])
    func areFoundInTheHead(_ fields: [String], _ cookie: String?, _ token: String?) {
        var headers = HTTPFields()
        for field in fields { headers.append(HTTPField(name: .authorization, value: field)) }
        headers[.cookie] = cookie
        #expect((try? LocalAPI.bearerToken(headers)) == token)
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
