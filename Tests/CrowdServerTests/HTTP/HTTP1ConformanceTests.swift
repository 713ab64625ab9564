import CZlib
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import CrowdServer

/// Bytes in, bytes out: the handler between NIO's own HTTP/1 decoder and encoder, and a server that answers everything.
@Suite("HTTP/1") struct HTTP1ConformanceTests {
    /// Answers each request with its body, chunked when the path is `/stream`.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private var path = ""
        private var body = ByteBuffer()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (path, body) = (head.uri, ByteBuffer(string: head.uri))
            case .body(var part): body.writeBuffer(&part)
            case .end:
                var head = HTTPResponseHead(version: .http1_1, status: .ok)
                if path != "/stream" { head.headers.add(name: "content-length", value: "\(body.readableBytes)") }
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var request: String
        var answer: String
        var isOpen: Bool
    }

    static let cases = [
        Case(
            testDescription: "HTTP/1.1 stays open", request: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/a", isOpen: true),
        Case(
            testDescription: "a client that will close is told so",
            request: "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n/a", isOpen: true),
        Case(
            testDescription: "HTTP/1.0 closes", request: "GET /a HTTP/1.0\r\n\r\n",
            answer: "HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n/a", isOpen: false),
        Case(
            testDescription: "HTTP/1.0 knows no chunks",
            request: "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            answer: "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\n/stream", isOpen: false),
        Case(
            testDescription: "HTTP/1.0 stays open on request",
            request: "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            answer: "HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n/a", isOpen: true),
        Case(
            testDescription: "HTTP/1.1 has chunks", request: "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\n/stream\r\n0\r\n\r\n", isOpen: true),
        Case(
            testDescription: "a client that waits is told to go on",
            request: "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n[]",
            answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n/a[]", isOpen: true),
        Case(
            testDescription: "nothing to wait for",
            request: "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/a", isOpen: true),
        Case(
            testDescription: "other expectations", request: "GET /a HTTP/1.1\r\nHost: x\r\nExpect: cake\r\n\r\n",
            answer: "HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", isOpen: false),
        Case(
            testDescription: "no host", request: "GET /a HTTP/1.1\r\n\r\n",
            answer: "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", isOpen: false),
        Case(
            testDescription: "two hosts", request: "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            answer: "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", isOpen: false),
        Case(
            testDescription: "a refused request does not overtake",
            request: "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n",
            answer: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/a"
                + "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", isOpen: false),
    ]

    @Test(arguments: cases) func answers(_ example: Case) throws {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false)
        try channel.pipeline.syncOperations.addHandlers(HTTP1Conformance(), Echo())
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        try channel.writeInbound(ByteBuffer(string: example.request))
        var answer = ""
        while let part = try channel.readOutbound(as: ByteBuffer.self) { answer += String(buffer: part) }
        #expect(answer == example.answer)
        #expect(channel.isActive == example.isOpen)
    }
}

@Suite("Inflated bodies") struct GunzipTests {
    private static func gzip(_ text: String) -> [UInt8] {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        deflateInit2_(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
        defer { deflateEnd(&stream) }
        var (input, output) = (Array(text.utf8), [UInt8](repeating: 0, count: text.utf8.count + 64))
        let count = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { room in
                (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
                (stream.next_out, stream.avail_out) = (room.baseAddress, UInt32(room.count))
                _ = deflate(&stream, Z_FINISH)
                return room.count - Int(stream.avail_out)
            }
        }
        return Array(output[..<count])
    }

    @Test func readsEveryMember() throws {
        let long = String(repeating: "x", count: 200_000)
        #expect(try Gunzip.inflate(Self.gzip("[") + Self.gzip(long) + Self.gzip("]"), limit: 300_000).count == 200_002)
        #expect(try Gunzip.inflate(Self.gzip("one"), limit: 3) == Array("one".utf8))
    }

    @Test func refuses() {
        let one = Self.gzip("one")
        #expect(throws: Gunzip.Refusal.tooLarge) { try Gunzip.inflate(one, limit: 2) }
        #expect(throws: Gunzip.Refusal.tooLarge) { try Gunzip.inflate(one + one, limit: 5) }
        #expect(throws: Gunzip.Refusal.malformed) { try Gunzip.inflate(one + [1, 2, 3], limit: 100) }
        #expect(throws: Gunzip.Refusal.malformed) { try Gunzip.inflate(Array(one.dropLast(4)), limit: 100) }
        #expect(throws: Gunzip.Refusal.malformed) { try Gunzip.inflate([], limit: 100) }
    }
}
