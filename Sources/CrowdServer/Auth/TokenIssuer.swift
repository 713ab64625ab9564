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
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .unauthorized("token contains an invalid number of segments") }
        guard let header = Base64.decode(parts[0], .url), let claims = Base64.decode(parts[1], .url) else {
            throw .unauthorized("token is malformed")
        }
        guard (try? JSON.parse(header))?["alg"]?.string == "HS256" else {
            throw .unauthorized("signing method is invalid")
        }
        let expected = Array(signature(of: "\(parts[0]).\(parts[1])").utf8)
        guard Digest.equal(Array(parts[2].utf8), expected) else { throw .unauthorized("signature is invalid") }
        guard let body = try? JSON.parse(claims), let id = body["id"]?.string else {
            throw .unauthorized("token is malformed")
        }
        guard let expires = body["exp"]?.int else { throw Failure(status: 400, message: "missing exp field") }
        let issuedAt = body["orig_iat"]?.int ?? 0
        if isRefresh {
            guard issuedAt >= now.seconds - Int64(Self.lifetime.seconds) else {
                throw .unauthorized("token is expired")
            }
        } else if now.seconds > expires {
            throw .unauthorized("token is expired by \(GoDuration.seconds(now.seconds - expires))")
        }
        return Claims(machineID: id, expires: expires, issuedAt: issuedAt)
    }

    private func signature(of text: String) -> String {
        Self.encode(Digest.hmacSHA256(key: secret, Array(text.utf8)))
    }

    private static func encode(_ bytes: [UInt8]) -> String { Base64.encode(bytes, .url, padded: false) }
}
