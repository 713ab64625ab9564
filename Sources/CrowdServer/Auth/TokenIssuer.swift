import CrowdCore

/// Machine tokens: JWT, HS256, one hour (protocol facts A.2.1). Issuing and checking cost one HMAC; nothing is stored.
struct TokenIssuer: Sendable {
    static let lifetime = GoDuration.seconds(3600)
    static let minSecretBytes = 64

    private let secret: [UInt8]

    init(secret: [UInt8]) { self.secret = secret }

    /// A secret of its own, for a server that is given none: tokens die with the process.
    init() { secret = SecureRandom.bytes(Self.minSecretBytes) }

    struct Claims: Equatable, Sendable {
        var machineID: String
        var expires: Int64
        var issuedAt: Int64
    }

    func issue(_ machineID: String, now: Timestamp) -> (token: String, expires: Timestamp) {
        let expires = Timestamp(seconds: now.seconds + Int64(Self.lifetime.seconds))
        var claims = JSONWriter()
        claims.beginObject()
        claims.member("exp", expires.seconds)
        claims.member("id", machineID)
        claims.member("orig_iat", now.seconds)
        claims.endObject()
        let header = Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)
        let signed = "\(Self.encode(header)).\(Self.encode(claims.bytes))"
        return ("\(signed).\(signature(of: signed))", expires)
    }

    /// - Parameter isRefresh: the token counts by when it was issued, whether it has run out or not.
    func check(_ token: String, now: Timestamp, isRefresh: Bool = false) throws(Failure) -> Claims {
        let body = try signedClaims(of: token)
        guard let id = body["id"]?.string else { throw .unauthorized("token is malformed") }
        // Replicas need not have the same clock, but one that is ahead has signed what is not yet to be trusted.
        if let begins = body["nbf"]?.seconds, begins > now.seconds { throw .unauthorized("token is not valid yet") }
        if let issued = body["iat"]?.seconds, issued > now.seconds {
            throw .unauthorized("token used before issued")
        }
        let expires = try Self.expiry(of: body)
        let issuedAt = body["orig_iat"]?.seconds ?? 0
        if isRefresh {
            guard issuedAt >= now.seconds - Int64(Self.lifetime.seconds) else {
                throw .unauthorized("token is expired")
            }
        } else if now.seconds > expires {
            throw .unauthorized("token is expired by \(GoDuration.seconds(now.seconds - expires))")
        }
        return Claims(machineID: id, expires: expires, issuedAt: issuedAt)
    }

    /// What a token says, once its signature has been found right.
    private func signedClaims(of token: String) throws(Failure) -> JSON {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .unauthorized("token contains an invalid number of segments") }
        guard let header = Base64.decode(parts[0], .url), let claims = Base64.decode(parts[1], .url) else {
            throw .unauthorized("token is malformed")
        }
        guard (try? JSON.parse(header))?["alg"]?.string == "HS256" else {
            throw .unauthorized("invalid signing algorithm")
        }
        let expected = Array(signature(of: "\(parts[0]).\(parts[1])").utf8)
        guard Digest.equal(Array(parts[2].utf8), expected) else { throw .unauthorized("signature is invalid") }
        guard let body = try? JSON.parse(claims) else { throw .unauthorized("token is malformed") }
        return body
    }

    private static func expiry(of claims: JSON) throws(Failure) -> Int64 {
        guard let claim = claims["exp"], !claim.isNull else { throw .wrongToken("missing exp field") }
        guard let expires = claim.seconds else { throw .wrongToken("exp must be float64 format") }
        return expires
    }

    private func signature(of text: String) -> String {
        Self.encode(Digest.hmacSHA256(key: secret, Array(text.utf8)))
    }

    private static func encode(_ bytes: [UInt8]) -> String { Base64.encode(bytes, .url, padded: false) }
}

extension JSON {
    /// A moment in whole seconds; other servers with the same secret may write fractions.
    fileprivate var seconds: Int64? {
        guard case .number(let number) = self else { return nil }
        return number.int ?? Double(number.text).flatMap { Int64(exactly: $0.rounded(.down)) }
    }
}
