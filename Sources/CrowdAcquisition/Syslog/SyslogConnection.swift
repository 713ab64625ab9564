import CrowdCore
import Logging
import NIOCore

/// The messages of all connections of one listener.
///
/// `@unchecked Sendable`: handed to the listener's thread, which alone touches it from then on.
final class SyslogCollector: @unchecked Sendable {
    var round: SyslogRound
    init(_ round: SyslogRound) { self.round = round }
}

/// One sender's stream.
final class SyslogConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let sender: IPAddress?
    private let collector: SyslogCollector
    private let listener: StreamListener
    private let log: Logger
    private var framer: SyslogFramer

    init(_ sender: IPAddress?, limit: Int, _ collector: SyslogCollector, _ listener: StreamListener, _ log: Logger) {
        self.sender = sender
        self.collector = collector
        self.listener = listener
        self.log = log
        framer = SyslogFramer(limit: limit)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        listener.noteArrival()
        unwrapInboundIn(data).withUnsafeReadableBytes { raw in
            framer.feed(ByteSlice(raw.assumingMemoryBound(to: UInt8.self))) { collector.round.take($0, from: sender) }
        }
        guard framer.isLost else { return }
        log.error("A syslog stream is framed wrongly and is closed. sender=\(sender?.description ?? "unknown")")
        context.close(promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        collector.round.deliver()
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        framer.finish { collector.round.take($0, from: sender) }
        collector.round.deliver()
        context.fireChannelInactive()
    }

    /// A handshake that failed, a connection that was reset: the others go on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        log.debug("A syslog stream ended: \(error)")
        context.close(promise: nil)
    }
}
