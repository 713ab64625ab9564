import CrowdCore
import CrowdTestSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Testing

@testable import CrowdServer

@Suite("Client for OCSP responders") struct ResponderClientTests {
    @Test(arguments: [
        "https://", "httpx://example.org/", "ldap://example.org/", "http://", "http:///path",
        "http://user@example.org/",
        "http://example.org:0/", "http://example.org:99999/", "http://example.org:x/", "http://exa mple.org/",
        "http://example.org/a b", "",
    ])
    func otherURLsAreRefused(_ url: String) { #expect(ResponderClient(url, body: []) == nil) }

    @Test func postsAndReads() async throws {
        let server = try ScriptedServer { request in
            .init(request.path == "/a?b" && request.method == "POST" ? 200 : 404, bytes: request.body.reversed())
        }
        let answer = await ResponderClient("http://127.0.0.1:\(server.port)/a?b", body: [1, 2, 3])?.answer()
        #expect(answer == [3, 2, 1])
        let other = await ResponderClient("http://127.0.0.1:\(server.port)", body: [1])?.answer()
        #expect(other == nil)
    }

    /// Over TLS only with a certificate of an authority that is trusted, and of that host.
    @Test func securesWhatIsToBeSecure() async throws {
        let authority = try TestAuthority()
        try authority.issue("elsewhere", unit: "servers", section: "elsewhere")
        let pem = try FileContents.read(authority.certificate)
        for (name, authorities, expected) in [
            ("server", pem, [3, 2, 1] as [UInt8]?), ("server", [], nil), ("elsewhere", pem, nil), ("plain", pem, nil),
        ] {
            let server = try await TLSEcho(authority, name == "plain" ? nil : name)
            let client = ResponderClient(
                "https://127.0.0.1:\(server.port)/x", body: [1, 2, 3], authorities: authorities)
            let answer = await client?.answer()
            #expect(answer == expected, "\(name)")
            try await server.stop()
        }
    }

    @Test func brokenAnswersAreNone() async throws {
        for (index, answer) in [
            ScriptedServer.Response.drop, .init(200, bytes: Array(repeating: 0, count: 70_000)), .init(500, "x"),
        ].enumerated() {
            let server = try ScriptedServer { _ in answer }
            let received = await ResponderClient("http://127.0.0.1:\(server.port)/", body: [1])?.answer()
            #expect(received == nil, "answer \(index)")
            server.stop()
        }
    }
}

/// Answers each request with its body backwards; without a certificate it speaks no TLS.
private struct TLSEcho {
    private let channel: any Channel
    var port: Int { channel.localAddress?.port ?? 0 }

    init(_ authority: TestAuthority, _ name: String?) async throws {
        let tls = try name.map { name in
            let chain = try NIOSSLCertificate.fromPEMFile("\(authority.path)/\(name).crt")
            let key = try NIOSSLPrivateKey(file: "\(authority.path)/\(name).key", format: .pem)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
        }
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer {
            channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                try channel.pipeline.syncOperations.addHandler(Echo())
            }
        }.bind(host: "127.0.0.1", port: 0).get()
    }

    func stop() async throws { try await channel.close() }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private var body: [UInt8] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head: body = []
            case .body(let piece): body += Array(buffer: piece)
            case .end:
                let head = HTTPResponseHead(
                    version: .http1_1, status: .ok, headers: ["Content-Length": "\(body.count)"])
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                let answer = ByteBuffer(bytes: body.reversed())
                context.write(wrapOutboundOut(.body(.byteBuffer(answer))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
