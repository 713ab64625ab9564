import CrowdCore
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One HTTP exchange with an OCSP responder. Nearly all are reached over plain HTTP, their answers being signed; a client
/// library with all that it loads would be a tenth of the server's memory for this.
struct ResponderClient {
    private static let timeout = TimeAmount.seconds(5)
    fileprivate static let maxAnswerBytes = 65_536

    private let host: String
    private let port: Int
    private let path: String
    private let isSecure: Bool

    /// nil for anything but `http[s]://HOST[:PORT][/PATH]`.
    init?(_ url: String) {
        isSecure = url.hasPrefix("https://")
        guard isSecure || url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst(isSecure ? "https://".count : "http://".count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        path = slash == rest.endIndex ? "/" : String(rest[slash...])
        var authority = rest[..<slash]
        guard !authority.contains("@"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        var port = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                return nil
            }
            port = number
            authority = authority[..<colon]
        }
        if authority.hasPrefix("["), authority.hasSuffix("]") { authority = authority.dropFirst().dropLast() }
        guard !authority.isEmpty, authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        (host, self.port) = (String(authority), port)
    }

    /// The body of a 200; nil for any other answer, none, or one that takes too long.
    ///
    /// - Parameter authorities: certificates in PEM form that are trusted beside the system's.
    func post(_ body: [UInt8], authorities: [UInt8] = []) async -> [UInt8]? {
        let tls = isSecure ? Self.context(authorities) : nil
        guard isSecure == (tls != nil) else { return nil }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: [UInt8]?.self)
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(Self.timeout).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls { try channel.pipeline.syncOperations.addHandler(Self.handler(tls, for: host)) }
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(AnswerCollector(answer))
            }
        }
        bootstrap.connect(host: host, port: port).whenComplete { result in
            guard case .success(let channel) = result else { return answer.succeed(nil) }
            channel.eventLoop.scheduleTask(in: Self.timeout) { channel.close(promise: nil) }
            send(body, over: channel)
        }
        return (try? await answer.futureResult.get()) ?? nil
    }

    private static func context(_ authorities: [UInt8]) -> NIOSSLContext? {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let trusted = try? NIOSSLCertificate.fromPEMBytes(authorities), !trusted.isEmpty {
            tls.additionalTrustRoots = [.certificates(trusted)]
        }
        return try? NIOSSLContext(configuration: tls)
    }

    /// An address is compared with the certificate's addresses; only a name can be asked for.
    private static func handler(_ tls: NIOSSLContext, for host: String) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: tls, serverHostname: IPAddress(host) == nil ? host : nil)
    }

    private func send(_ body: [UInt8], over channel: any Channel) {
        let headers: HTTPHeaders = [
            "Host": port == (isSecure ? 443 : 80) ? host : "\(host):\(port)",
            "Content-Type": "application/ocsp-request",
            "Content-Length": String(body.count), "Connection": "close",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
}

/// Gathers one answer and closes the connection; says nil when there is none.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<[UInt8]?>
    private var isGood = false
    private var bytes: [UInt8] = []

    init(_ answer: EventLoopPromise<[UInt8]?>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): isGood = head.status == .ok
        case .body(let piece):
            bytes += Array(buffer: piece)
            if bytes.count > ResponderClient.maxAnswerBytes { context.close(promise: nil) }
        case .end:
            answer.succeed(isGood && bytes.count <= ResponderClient.maxAnswerBytes ? bytes : nil)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.succeed(nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
