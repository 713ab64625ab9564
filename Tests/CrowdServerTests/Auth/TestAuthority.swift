import CrowdTestSupport
import Testing

/// A certificate authority made by `openssl`, with its list of revoked certificates and its OCSP responder.
final class TestAuthority: Sendable {
    let directory: TemporaryDirectory
    var path: String { directory.path }
    var certificate: String { path + "/ca.crt" }
    var list: String { path + "/crl.pem" }

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(
            "ca.cnf",
            """
            [ca]
            default_ca = own
            [own]
            database = \(path)/index.txt
            new_certs_dir = \(path)
            serial = \(path)/serial
            crlnumber = \(path)/crlnumber
            certificate = \(path)/ca.crt
            private_key = \(path)/ca.key
            default_md = sha256
            default_days = 30
            default_crl_days = 30
            unique_subject = no
            policy = any
            [any]
            commonName = optional
            organizationalUnitName = optional
            [plain]
            basicConstraints = CA:FALSE
            [server]
            subjectAltName = IP:127.0.0.1
            [elsewhere]
            subjectAltName = IP:192.0.2.1
            [responder]
            extendedKeyUsage = OCSPSigning
            """ + "\n")
        try directory.write("index.txt", "")
        try directory.write("serial", "1000\n")
        try directory.write("crlnumber", "1000\n")
        try Self.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=ca"
                + " -keyout \(path)/ca.key -out \(certificate) -addext keyUsage=critical,keyCertSign,cRLSign")
        try issue("server", unit: "servers", section: "server")
        try issue("responder", unit: "responders", section: "responder")
        try renewList()
    }

    /// Makes `NAME.crt` and `NAME.key`.
    ///
    /// - Parameters:
    ///   - subject: whom it names, `NAME` of that unit when nil.
    ///   - responder: the URL of the OCSP responder that is to be asked.
    func issue(
        _ name: String, unit: String, subject: String? = nil, section: String = "plain", responder: String? = nil
    ) throws {
        try Self.openssl(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
                + " -subj \(subject ?? "/OU=\(unit)/CN=\(name)") -keyout \(path)/\(name).key -out \(path)/\(name).csr")
        var section = section
        if let responder {
            section = "with_\(name)"
            try directory.append(
                "ca.cnf", "[\(section)]\nbasicConstraints = CA:FALSE\nauthorityInfoAccess = OCSP;URI:\(responder)\n")
        }
        try Self.openssl(
            "ca -batch -notext -config \(path)/ca.cnf -in \(path)/\(name).csr"
                + " -out \(path)/\(name).crt -extensions \(section)")
    }

    func revoke(_ name: String) throws { try Self.openssl("ca -config \(path)/ca.cnf -revoke \(path)/\(name).crt") }

    func renewList() throws {
        try Self.openssl("ca -gencrl -config \(path)/ca.cnf -out \(path)/crl.new")
        try Command.must("mv \(path)/crl.new \(list)")
    }

    /// What `openssl ocsp` answers to a request.
    func answer(to request: [UInt8], number: Int) throws -> [UInt8] {
        let (asked, answered) = ("\(path)/\(number).req", "\(path)/\(number).resp")
        try directory.write("\(number).req", request)
        try Self.openssl(
            "ocsp -index \(path)/index.txt -CA \(certificate) -rsigner \(path)/responder.crt"
                + " -rkey \(path)/responder.key -reqin \(asked) -respout \(answered)")
        return SharedMaterial.read(answered) ?? []
    }

    private static func openssl(_ line: String) throws { try Command.must("openssl " + line) }
}
