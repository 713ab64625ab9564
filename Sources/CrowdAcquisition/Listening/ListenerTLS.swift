import CrowdCore
import NIOSSL

/// `tls` of a source that listens: `server_cert`, `server_key`, `ca_cert`.
struct ListenerTLS: Sendable, Equatable {
    var certPath: String
    var keyPath: String
    /// Whose client certificates are accepted; with it a client must show one.
    var caPath: String?

    private static let keys = ["server_cert", "server_key", "ca_cert", "insecure_skip_verify"]

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "TLSConfig", known: Self.keys)
        certPath = try yaml.requiredString("server_cert")
        keyPath = try yaml.requiredString("server_key")
        caPath = try yaml.string("ca_cert").flatMap { $0.isEmpty ? nil : $0 }
        // Said about the other side's server certificate, which a listener never sees.
        _ = try yaml.bool("insecure_skip_verify")
    }

    /// - Throws: when a file cannot be read or holds something else, with the file's name.
    func context() throws(ConfigError) -> NIOSSLContext {
        let chain = try read(certPath) { try NIOSSLCertificate.fromPEMFile($0) }
        let key = try read(keyPath) { try NIOSSLPrivateKey(file: $0, format: .pem) }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = .tlsv12
        if let caPath {
            // What NIO calls "without the host's name" is a certificate that must be there and verify.
            tls.certificateVerification = .noHostnameVerification
            tls.trustRoots = .certificates(try read(caPath) { try NIOSSLCertificate.fromPEMFile($0) })
        }
        do {
            return try NIOSSLContext(configuration: tls)
        } catch {
            throw ConfigError("tls: \(certPath), \(keyPath): \(error)")
        }
    }

    private func read<Value>(_ path: String, _ body: (String) throws -> Value) throws(ConfigError) -> Value {
        do {
            return try body(path)
        } catch {
            throw ConfigError("tls: \(path): \(error)")
        }
    }
}
