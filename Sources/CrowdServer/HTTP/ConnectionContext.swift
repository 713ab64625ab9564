import CrowdCore
import Hummingbird
import NIOCore
import NIOSSL

/// The connection a request came over.
struct ConnectionContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }

    /// The other end; nil for a unix socket, and for who hung up before the connection was accepted.
    var peer: IPAddress? { channel.remoteAddress?.ipAddress.flatMap { IPAddress($0)?.unmapped } }

    /// The client certificate, verified during the handshake, in DER form.
    func certificate() async -> [UInt8]? {
        let handler = channel.pipeline.handler(type: NIOSSLServerHandler.self).map { $0.peerCertificate }
        guard let certificate = try? await handler.get() else { return nil }
        return try? certificate.toDERBytes()
    }
}
