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

        var shortest: TimeAmount { min(idle, body, answer) }
    }

    private let limits: Limits
    /// When what is under way has to be done.
    private var deadline = NIODeadline.distantFuture
    /// Looks at the deadline now and then; set anew when it fires, not with every part of a message.
    private var check: Scheduled<Void>?

    init(limits: Limits = Limits()) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) {
        expect(within: limits.idle, context)
        watch(context.channel, after: limits.shortest)
    }

    func handlerRemoved(context: ChannelHandlerContext) { check?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        check?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: expect(within: limits.body, context)
        case .body: break
        case .end: deadline = .distantFuture
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
        deadline = context.eventLoop.now + limit
    }

    /// Comes back when the deadline is due, or after the shortest limit: by then there may be an earlier one.
    private func watch(_ channel: any Channel, after delay: TimeAmount) {
        let guarded = NIOLoopBound(self, eventLoop: channel.eventLoop)
        check = channel.eventLoop.scheduleTask(in: delay) {
            let connection = guarded.value
            let left = connection.deadline - channel.eventLoop.now
            if connection.deadline != .distantFuture && left <= .zero { return channel.close(promise: nil) }
            connection.watch(channel, after: min(max(left, .milliseconds(1)), connection.limits.shortest))
        }
    }
}
