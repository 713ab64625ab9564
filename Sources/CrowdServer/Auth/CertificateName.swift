import CCrypto
import CrowdCore

/// Whom a verified client certificate names: common name and organisational units of its subject.
struct CertificateName: Sendable, Equatable {
    /// Empty where there is none: nobody is let in with such a one.
    var commonName: String
    var units: [String]
    /// Set for one that nobody is to be let in with.
    var isRevoked = false

    init(der: [UInt8]) {
        commonName = Self.entry(der, CROWD_SUBJECT_COMMON_NAME, 0) ?? ""
        units = []
        while let unit = Self.entry(der, CROWD_SUBJECT_UNIT, Int32(units.count)) { units.append(unit) }
    }

    /// An empty list of allowed units lets nobody in.
    func isIn(_ allowed: [String]) -> Bool {
        !isRevoked && !commonName.isEmpty && units.contains { allowed.contains($0) }
    }

    private static func entry(_ der: [UInt8], _ kind: Int32, _ index: Int32) -> String? {
        var text = [UInt8](repeating: 0, count: 256)
        let length = crowd_certificate_subject(der, der.count, kind, index, &text, text.count)
        return length > 0 ? String(decoding: text[..<Int(length)], as: UTF8.self) : nil
    }
}
