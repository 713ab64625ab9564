import CrowdCore
import HTTPTypes
import Hummingbird
import NIOCore

/// What a route answers.
struct Reply: Sendable {
    enum Body: Sendable {
        case none
        case whole(ByteBuffer)
        /// Sent chunked, as it drains.
        case pieces([ByteBuffer])
        /// As pieces, but each is made when it is sent.
        case generated(@Sendable () -> AnyIterator<ByteBuffer>)
        /// As generated, by something that has to be waited for; nil ends it, an error breaks the connection off.
        case awaited(@Sendable () async throws -> [UInt8]?)
    }

    var status: Int
    var headers = HTTPFields()
    var body: Body
    /// Runs once the body has been sent without error.
    var afterSending: (@Sendable () -> Void)?

    static func empty(_ status: Int) -> Reply { Reply(status: status, body: .none) }

    static func json(_ status: Int = 200, _ bytes: [UInt8]) -> Reply { json(status, ByteBuffer(bytes: bytes)) }

    static func json(_ status: Int = 200, _ body: ByteBuffer) -> Reply {
        var reply = Reply(status: status, body: .whole(body))
        reply.headers[.contentType] = "application/json; charset=utf-8"
        return reply
    }

    static func json(_ status: Int = 200, _ write: (inout JSONWriter) -> Void) -> Reply {
        var writer = JSONWriter()
        write(&writer)
        return json(status, writer.bytes)
    }

    init(status: Int, body: Body) {
        self.status = status
        self.body = body
    }

    init(_ failure: Failure) {
        self = .json(failure.status) { writer in
            writer.beginObject()
            if failure.repeatsStatus { writer.member("code", failure.status) }
            writer.member("message", failure.message)
            writer.endObject()
        }
        if failure.repeatsStatus { headers[.wwwAuthenticate] = "JWT realm=Crowdsec API local" }
    }

    /// - Parameter isHead: the answer to a HEAD request carries no body.
    func response(isHead: Bool) -> Response {
        var response = Response(status: .init(code: status), headers: headers)
        switch body {
        case .none: response.body = ResponseBody()
        case _ where isHead:
            if status < 400 { response.headers[.contentType] = "text/plain; charset=utf-8" }
            response.body = ResponseBody()
        case .whole(let body): response.body = ResponseBody(byteBuffer: body)
        case .pieces(let pieces):
            response.body = Self.stream({ AnyIterator(pieces.makeIterator()) }, afterSending)
        case .awaited(let next):
            response.body = ResponseBody { writer in
                while let piece = try await next() { try await writer.write(ByteBuffer(bytes: piece)) }
                try await writer.finish(nil)
            }
        case .generated(let pieces): response.body = Self.stream(pieces, afterSending)
        }
        return response
    }

    private static func stream(
        _ pieces: @escaping @Sendable () -> AnyIterator<ByteBuffer>, _ afterSending: (@Sendable () -> Void)?
    ) -> ResponseBody {
        ResponseBody { writer in
            for piece in pieces() { try await writer.write(piece) }
            try await writer.finish(nil)
            afterSending?()
        }
    }
}
