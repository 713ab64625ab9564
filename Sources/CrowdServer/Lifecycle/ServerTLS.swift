import CrowdCore
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificates in use; a reload changes them for new connections and leaves the open ones alone.
final class ServerTLS: Sendable {
    private let current: Mutex<NIOSSLContext>

    init(_ config: LAPITLSConfig) throws(ConfigError) { current = Mutex(try Self.context(config)) }

    var context: NIOSSLContext { current.withLock { $0 } }

    func reload(_ config: LAPITLSConfig) throws(ConfigError) {
        let fresh = try Self.context(config)
        current.withLock { $0 = fresh }
    }

    private static func context(_ config: LAPITLSConfig) throws(ConfigError) -> NIOSSLContext {
        guard let certPath = config.certPath, let keyPath = config.keyPath else {
            throw ConfigError("api.server.tls needs both cert_file and key_file")
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certPath).map { NIOSSLCertificateSource.certificate($0) }
            let key = try NIOSSLPrivateKey(file: keyPath, format: .pem)
            var tls = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
            tls.minimumTLSVersion = .tlsv12
            tls.certificateVerification = verification(config)
            if let caPath = config.caPath {
                tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(caPath))]
            }
            return try NIOSSLContext(configuration: tls)
        } catch {
            throw ConfigError("api.server.tls: \(certPath), \(keyPath): \(error)")
        }
    }

    /// Without a CA of one's own no client certificate could be accepted, so none is asked for. A certificate that does
    /// not verify is never taken, also in the two modes that would let it pass unread.
    private static func verification(_ config: LAPITLSConfig) -> CertificateVerification {
        switch config.clientVerification {
        case .none: .none
        case .requireAndVerify, .requireAny: .noHostnameVerification
        case .verifyIfGiven, .request: config.caPath == nil ? .none : .optionalVerification
        }
    }
}

/// Puts TLS with the present certificates in front of a connection.
struct TLSListener<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let tls: ServerTLS

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context))
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
