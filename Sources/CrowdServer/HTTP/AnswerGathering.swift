import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Sends a short answer at once: head, body and end, each flushed as it is written, are three system calls and wake the
/// client three times.
///
/// What is flushed in the midst of an answer waits for its end, or for `most` bytes of body. An answer begins when its
/// first piece is there, so nobody waits for one that is being made.
final class AnswerGathering: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Less than what makes a connection unwritable (64 KiB): the answer's writer must not wait for us.
    static let most = 32 << 10

    private var isAnswering = false
    /// Bytes of body that wait.
    private var waiting = 0

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): isAnswering = head.status.kind != .informational
        case .body(let piece): waiting += piece.readableBytes
        case .end: isAnswering = false
        }
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        guard !isAnswering || waiting >= Self.most else { return }
        waiting = 0
        context.flush()
    }
}
