import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections that take too long: to send a head, a body, or to take an answer.
///
/// One timer per connection, for whatever it is doing now:
///
///     idle ──head──► reading ──end──► working ──answer head──► writing ──answer end──► idle
///
/// `working` has no limit: a held delta request may last a minute.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    struct Limits: Sendable {
        /// From the opening of the connection, or the end of the last answer, to a complete head.
        var idle = TimeAmount.seconds(120)
        var body = TimeAmount.seconds(60)
        var answer = TimeAmount.seconds(600)
    }

    private let limits: Limits
    private var deadline: Scheduled<Void>?

    init(limits: Limits = Limits()) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) { expect(within: limits.idle, context) }
    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: expect(within: limits.body, context)
        case .body: break
        case .end: deadline?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head: expect(within: limits.answer, context)
        case .body: break
        case .end: expect(within: limits.idle, context)
        }
        context.write(data, promise: promise)
    }

    private func expect(within limit: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }
}
