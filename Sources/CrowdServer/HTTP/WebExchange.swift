import CrowdCore
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One exchange with a web server, over what serves our own clients: a client library with all that it loads would be a
/// tenth of the server's memory.
struct WebExchange {
    private let question: WebQuestion
    private let host: String
    private let port: Int
    private let path: String
    private let isSecure: Bool
    /// For connecting and for the whole.
    var patience = GoDuration.seconds(10)
    var bodyBytes = 10 * 1024 * 1024
    /// Certificates in PEM form that are trusted beside the system's.
    var authorities: [UInt8] = []

    /// nil for anything but a URL of http or https without user and password.
    init?(_ question: WebQuestion) {
        guard let address = WebAddress(question.url), !address.hasUser else { return nil }
        isSecure = address.scheme == "https"
        var authority = address.host[...]
        var port = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                return nil
            }
            port = number
            authority = authority[..<colon]
        }
        if authority.hasPrefix("["), authority.hasSuffix("]") { authority = authority.dropFirst().dropLast() }
        let isPlain = { (byte: UInt8) in byte > 0x20 && byte < 0x7F }
        guard !authority.isEmpty, authority.utf8.allSatisfy(isPlain), address.path.utf8.allSatisfy(isPlain) else {
            return nil
        }
        self.question = question
        (host, self.port, path) = (String(authority), port, address.path)
    }

    /// Web servers for the expressions of profiles. To be asked on a thread that may wait, no event loop's.
    static func guarded(_ limits: GuardedWeb.Limits = GuardedWeb.Limits()) -> GuardedWeb {
        GuardedWeb(limits) { question, patience, bodyBytes throws(GuardedWeb.Failure) in
            guard var exchange = WebExchange(question) else {
                throw GuardedWeb.Failure("not a URL that can be asked", isServers: false)
            }
            exchange.patience = patience
            exchange.bodyBytes = bodyBytes
            do { return try exchange.begin().wait() } catch {
                throw error as? GuardedWeb.Failure ?? GuardedWeb.Failure("\(error)", isServers: true)
            }
        }
    }

    /// The answer, or a `GuardedWeb.Failure`.
    func begin() -> EventLoopFuture<WebAnswer> {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: WebAnswer.self)
        let tls = isSecure ? Self.context(authorities) : nil
        guard isSecure == (tls != nil) else {
            answer.fail(GuardedWeb.Failure("TLS cannot be set up", isServers: false))
            return answer.futureResult
        }
        let limit = TimeAmount.nanoseconds(max(patience.nanoseconds, 1))
        let bytes = bodyBytes
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(limit).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls { try channel.pipeline.syncOperations.addHandler(Self.handler(tls, for: host)) }
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(AnswerCollector(answer, bodyBytes: bytes))
            }
        }
        bootstrap.connect(host: host, port: port).whenComplete { result in
            switch result {
            case .success(let channel):
                let timer = channel.eventLoop.scheduleTask(in: limit) {
                    answer.fail(GuardedWeb.Failure("timed out", isServers: true))
                    channel.close(promise: nil)
                }
                answer.futureResult.whenComplete { _ in timer.cancel() }
                send(over: channel)
            case .failure(let error): answer.fail(GuardedWeb.Failure("\(error)", isServers: true))
            }
        }
        return answer.futureResult
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

    private func send(over channel: any Channel) {
        let name = host.contains(":") ? "[\(host)]" : host
        var headers: HTTPHeaders = [
            "Host": port == (isSecure ? 443 : 80) ? name : "\(name):\(port)",
            "User-Agent": SuiteVersion.userAgent("crowdsec"), "Connection": "close",
        ]
        for header in question.headers { headers.replaceOrAdd(name: header.name, value: header.value) }
        let body = question.body
        if body != nil || question.method == "POST" {
            headers.replaceOrAdd(name: "Content-Length", value: String(body?.count ?? 0))
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: question.method), uri: path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let body { channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil) }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
}

/// Gathers one answer and closes the connection.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<WebAnswer>
    private let bodyBytes: Int
    private var gathered = WebAnswer(status: 0)

    init(_ answer: EventLoopPromise<WebAnswer>, bodyBytes: Int) {
        self.answer = answer
        self.bodyBytes = bodyBytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            // Not the answer yet.
            guard head.status.code >= 200 else { return }
            gathered.status = Int(head.status.code)
            gathered.headers = head.headers.prefix(100).map { ($0.name.lowercased(), $0.value) }
        case .body(let piece):
            gathered.body += Array(buffer: piece)
            guard gathered.body.count > bodyBytes else { return }
            answer.fail(GuardedWeb.Failure("answer larger than \(bodyBytes) bytes", isServers: false))
            context.close(promise: nil)
        case .end:
            guard gathered.status > 0 else { return }
            answer.succeed(gathered)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(GuardedWeb.Failure("the connection broke", isServers: true))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(GuardedWeb.Failure("\(error)", isServers: true))
        context.close(promise: nil)
    }
}
