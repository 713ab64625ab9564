import CCrypto
import CrowdCore

/// A client certificate (DER) and those that issued it, up to the one that issued itself or is not known.
struct CertificateChain: Sendable {
    /// Longest chain followed.
    private static let maxLength = 8

    private(set) var certificates: [[UInt8]]
    /// Whether it ends in a certificate that issued itself.
    private(set) var isComplete = false

    /// - Parameter bundle: PEM, the authorities that are trusted and those between.
    init(_ leaf: [UInt8], bundle: [UInt8]) {
        certificates = [leaf]
        var room = [UInt8](repeating: 0, count: 65_536)
        while certificates.count < Self.maxLength, let last = certificates.last {
            let length = crowd_certificate_issuer(last, last.count, bundle, bundle.count, &room, room.count)
            if length == CROWD_ISSUER_ITSELF { isComplete = true }
            guard length > 0 else { return }
            certificates.append(Array(room[..<Int(length)]))
        }
    }

    /// Each certificate that somebody else issued, with that issuer.
    var links: [(subject: [UInt8], issuer: [UInt8])] { zip(certificates, certificates.dropFirst()).map { ($0, $1) } }
}

/// Certificate revocation lists in one PEM file.
struct RevocationLists: Sendable {
    enum Verdict: Sendable { case none, good, revoked }

    private let pem: [UInt8]
    let count: Int

    init(path: String) throws(ConfigError) {
        pem = try FileContents.read(path, limit: 256 << 20)
        count = Int(crowd_crl_count(pem, pem.count))
        guard count > 0 else { throw ConfigError("\(path): no certificate revocation list in PEM form") }
    }

    /// What the issuer's own lists say; those of others do not count.
    func verdict(on subject: [UInt8], issuedBy issuer: [UInt8]) -> (verdict: Verdict, isOutdated: Bool) {
        let bits = crowd_crl_verdict(pem, pem.count, subject, subject.count, issuer, issuer.count)
        let verdict: Verdict = bits & CROWD_CRL_REVOKED != 0 ? .revoked : bits & CROWD_CRL_FOUND != 0 ? .good : .none
        return (verdict, bits & CROWD_CRL_OUTDATED != 0)
    }
}

/// The online certificate status protocol as bytes: who is to be asked, what, and what an answer means.
enum StatusProtocol {
    enum Verdict: Sendable { case good, revoked, unknown, unusable }

    static func responders(of subject: [UInt8]) -> [String] {
        var urls: [String] = []
        var room = [UInt8](repeating: 0, count: 2048)
        while urls.count < 4 {
            let length = crowd_ocsp_responder(subject, subject.count, Int32(urls.count), &room, room.count)
            guard length > 0 else { break }
            urls.append(String(decoding: room[..<Int(length)], as: UTF8.self))
        }
        return urls
    }

    static func request(about subject: [UInt8], issuedBy issuer: [UInt8]) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: 4096)
        let length = crowd_ocsp_request(subject, subject.count, issuer, issuer.count, &room, room.count)
        return length > 0 ? Array(room[..<Int(length)]) : nil
    }

    static func verdict(of answer: [UInt8], on subject: [UInt8], issuedBy issuer: [UInt8]) -> Verdict {
        switch crowd_ocsp_verdict(answer, answer.count, subject, subject.count, issuer, issuer.count) {
        case CROWD_OCSP_GOOD: .good
        case CROWD_OCSP_REVOKED: .revoked
        case CROWD_OCSP_UNKNOWN: .unknown
        default: .unusable
        }
    }
}
