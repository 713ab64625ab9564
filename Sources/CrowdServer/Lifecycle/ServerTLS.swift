import CrowdCore
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificates in use; a reload changes them for new connections and leaves the open ones alone.
final class ServerTLS: Sendable {
    private struct State {
        var config: LAPITLSConfig
        var context: NIOSSLContext
        var stamps: [FileStamp?]
    }

    private let state: Mutex<State>
    let revocation: RevocationCheck

    init(_ config: LAPITLSConfig, logger: Logger) throws(ConfigError) {
        state = Mutex(try Self.read(config))
        revocation = try RevocationCheck(config, logger: logger)
    }

    var context: NIOSSLContext { state.withLock { $0.context } }

    func reload(_ config: LAPITLSConfig) throws(ConfigError) {
        let fresh = try Self.read(config)
        try revocation.reload(config)
        state.withLock { $0 = fresh }
    }

    /// Reads certificate, key, CA and revocation lists anew when one of the files is another than it was.
    ///
    /// - Returns: whether there are new ones in use.
    /// - Throws: when they cannot be used; the old ones stay, and the same files are not tried again.
    func renewIfChanged() throws(ConfigError) -> Bool {
        let (config, known) = state.withLock { ($0.config, $0.stamps) }
        let stamps = Self.stamps(config)
        guard stamps != known else { return false }
        state.withLock { $0.stamps = stamps }
        try reload(config)
        return true
    }

    private static func read(_ config: LAPITLSConfig) throws(ConfigError) -> State {
        // The stamps first: a change between the two is then seen next time.
        let stamps = stamps(config)
        return State(config: config, context: try context(config), stamps: stamps)
    }

    private static func stamps(_ config: LAPITLSConfig) -> [FileStamp?] {
        [config.certPath, config.keyPath, config.caPath, config.crlPath].map { $0.flatMap { FileStamp($0) } }
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

/// Tells whether a file is another than it was, also when it was replaced.
private struct FileStamp: Equatable, Sendable {
    private let numbers: [Int64]

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        numbers = [
            Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec), Int64(status.st_size),
            Int64(bitPattern: UInt64(status.st_ino)),
        ]
    }
}
