import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// What HTTP/1 asks of a server beyond requests and answers: closing after HTTP/1.0, `100 Continue`, one `Host`.
///
/// Requests are answered in their order; `pending` holds what is due to each of those that were read.
final class HTTP1Conformance: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Due {
        var isOld: Bool
        /// What the client asked for; HTTP/1.0 closes unless it asks not to.
        var staysOpen: Bool
    }

    private var pending: CircularBuffer<Due> = []
    /// A request was refused here, with this: whatever else comes is not looked at.
    private var refusal: HTTPResponseHead?
    private var closesAfterAnswer = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard refusal == nil else { return }
        if case .head(let head) = unwrapInboundIn(data) {
            if let status = Self.refusal(of: head) {
                let headers: HTTPHeaders = ["content-length": "0", "connection": "close"]
                refusal = HTTPResponseHead(version: head.version, status: status, headers: headers)
                return pending.isEmpty ? refuse(context) : ()
            }
            // Behind other requests it would be taken for the answer to one of them.
            if pending.isEmpty && Self.expectsContinue(head) {
                let answer = HTTPResponseHead(version: head.version, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(answer)), promise: nil)
            }
            pending.append(Due(isOld: head.version != .http1_1, staysOpen: head.isKeepAlive))
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where !pending.isEmpty:
            let due = pending[pending.startIndex]
            var staysOpen = due.staysOpen
            if due.isOld {
                // Without a length only the end of the connection ends the body.
                head.version = .http1_0
                staysOpen = staysOpen && head.headers.contains(name: "content-length")
                if staysOpen { head.headers.replaceOrAdd(name: "connection", value: "keep-alive") }
            }
            if !staysOpen { head.headers.replaceOrAdd(name: "connection", value: "close") }
            closesAfterAnswer = due.isOld && !staysOpen
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where !pending.isEmpty:
            pending.removeFirst()
            guard closesAfterAnswer else {
                context.write(data, promise: promise)
                return pending.isEmpty ? refuse(context) : ()
            }
            let sent = promise ?? context.eventLoop.makePromise()
            let channel = context.channel
            sent.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
            context.write(data, promise: sent)
        default: context.write(data, promise: promise)
        }
    }

    private static func refusal(of head: HTTPRequestHead) -> HTTPResponseStatus? {
        let hosts = head.headers[canonicalForm: "host"].count
        if hosts > 1 || (hosts == 0 && head.version == .http1_1) { return .badRequest }
        guard head.version == .http1_1, let expected = head.headers.first(name: "expect") else { return nil }
        return expected.lowercased() == "100-continue" ? nil : .expectationFailed
    }

    /// A client that waits before it sends a body.
    private static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
        guard head.version == .http1_1, head.headers.contains(name: "expect") else { return false }
        return head.headers.contains(name: "transfer-encoding")
            || head.headers.first(name: "content-length").map { $0 != "0" } ?? false
    }

    /// Answers the refused request, if there is one, and closes.
    private func refuse(_ context: ChannelHandlerContext) {
        guard let refusal else { return }
        context.write(wrapOutboundOut(.head(refusal)), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}

/// A connection with `HTTP1Conformance` between the messages of HTTP/1 and what Hummingbird makes of them.
struct ConformingChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let codec = try pipeline.context(handlerType: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(HTTP1Conformance(), position: .before(codec.handler))
            return value
        }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
