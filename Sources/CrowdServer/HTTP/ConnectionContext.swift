import CrowdCore
import Hummingbird
import NIOCore
import NIOSSL

/// The connection a request came over.
struct ConnectionContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }

    /// The other end; a unix socket, or none (tests), counts as local.
    var peer: Peer {
        guard let text = channel.remoteAddress?.ipAddress, let address = IPAddress(text)?.unmapped else {
            return Peer(address: Peer.loopback, isLocalSocket: true)
        }
        return Peer(address: address, isLocalSocket: false)
    }

    /// The client certificate, verified during the handshake, in DER form.
    func certificate() async -> [UInt8]? {
        let handler = channel.pipeline.handler(type: NIOSSLServerHandler.self).map { $0.peerCertificate }
        guard let certificate = try? await handler.get() else { return nil }
        return try? certificate.toDERBytes()
    }
}

struct Peer: Sendable, Equatable {
    static let loopback = IPAddress(v4: 0x7F00_0001)

    var address: IPAddress
    var isLocalSocket: Bool
}
