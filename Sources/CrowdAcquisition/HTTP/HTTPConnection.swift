import CrowdCore
import CrowdEngine
import Logging
import NIOCore
import NIOHTTP1

/// The requests of one connection, one after the other.
///
///     waiting ──head──► taking ──end──► answering ──accounted for──► waiting
///        └──refused──► ignoring ──end──► waiting
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Longest event, in bytes.
    static let maxValueBytes = 1 << 20
    /// Events of one request go on once there are so many bytes of them.
    private static let batchBytes = 256 * 1024
    /// What is read and thrown away of a refused request before the connection is closed.
    private static let mostIgnoredBytes = 1 << 20
    /// Without a limit of the operator's: as long as this may pass without a byte.
    private static let patience = TimeAmount.seconds(60)

    private enum State {
        case waiting
        case taking(Request)
        case ignoring(bytes: Int)
        case answering
    }

    private struct Request {
        var cutter = JSONValueCutter(limit: HTTPConnection.maxValueBytes)
        var lines = LineCollector()
        var bytes = 0
        var keepsAlive: Bool
    }

    private let desk: HTTPDesk
    private let listener: StreamListener
    private var state = State.waiting
    private var isClosing = false
    private var deadline: Scheduled<Void>?

    init(_ desk: HTTPDesk, _ listener: StreamListener) {
        self.desk = desk
        self.listener = listener
    }

    // MARK: events of the channel

    func channelActive(context: ChannelHandlerContext) {
        expectMore(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        listener.noteArrival()
        if desk.config.timeout == nil { expectMore(context) }
        switch unwrapInboundIn(data) {
        case .head(let head): take(head, context)
        case .body(let bytes): take(bytes, context)
        case .end: finish(context)
        }
    }

    /// Not HTTP, not gzip, reset: whatever of a request was complete is kept.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        desk.log.debug("An HTTP connection ended: \(error)")
        switch state {
        case .taking(var request): deliver(&request, context)
        case .waiting where error is HTTPParserError: break
        case .waiting, .ignoring, .answering: return context.close(promise: nil)
        }
        guard context.channel.isActive else { return }
        state = .waiting
        answer(.badRequest, "Bad Request\n", context, keepsAlive: false)
    }

    private func expectMore(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        let limit = desk.config.timeout.map { TimeAmount.nanoseconds($0.nanoseconds) } ?? Self.patience
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    // MARK: requests

    private func take(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        isClosing = isClosing || !head.isKeepAlive
        if let refusal = refusal(of: head) {
            state = .ignoring(bytes: 0)
            return answer(refusal.status, refusal.text, context, keepsAlive: head.isKeepAlive)
        }
        guard head.method == .POST else {
            state = .ignoring(bytes: 0)
            return answer(.ok, "OK", context, keepsAlive: head.isKeepAlive, hasBody: head.method != .HEAD)
        }
        state = .taking(Request(keepsAlive: head.isKeepAlive))
        if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            let goOn = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
        }
    }

    private func refusal(of head: HTTPRequestHead) -> (status: HTTPResponseStatus, text: String)? {
        let path = head.uri.prefix { $0 != "?" }
        guard path == desk.config.path else { return (.notFound, "404 page not found\n") }
        guard [.GET, .HEAD, .POST].contains(head.method) else {
            return (.methodNotAllowed, "Method Not Allowed\n")
        }
        guard desk.isAuthentic(head.headers) else { return (.unauthorized, "Unauthorized\n") }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        if let limit = desk.config.maxBodyBytes, length > limit {
            return (.payloadTooLarge, "Request Entity Too Large\n")
        }
        return nil
    }

    private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        switch state {
        case .waiting, .answering: return
        case .ignoring(let count):
            guard count + bytes.readableBytes <= Self.mostIgnoredBytes else { return context.close(promise: nil) }
            state = .ignoring(bytes: count + bytes.readableBytes)
        case .taking(var request):
            // The state is not to hold a second reference while the request changes.
            state = .waiting
            take(bytes, of: &request, context)
        }
    }

    private func take(_ bytes: ByteBuffer, of request: inout Request, _ context: ChannelHandlerContext) {
        request.bytes += bytes.readableBytes
        do throws(JSONValueCutter.Refusal) {
            // Of a body that did not tell its length beforehand.
            if let limit = desk.config.maxBodyBytes, request.bytes > limit { throw .tooLong }
            try bytes.withUnsafeReadableBytes { raw throws(JSONValueCutter.Refusal) in
                let slice = ByteSlice(raw.assumingMemoryBound(to: UInt8.self))
                try request.cutter.feed(slice) { request.lines.append($0) }
            }
            if request.lines.byteCount > Self.batchBytes { deliver(&request, context) }
            state = .taking(request)
        } catch {
            refuse(error, &request, context)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        switch state {
        case .waiting, .answering: return
        case .ignoring:
            state = .waiting
            if isClosing { context.close(promise: nil) }
        case .taking(var request):
            state = .answering
            // From here on it is the engine that takes its time.
            deadline?.cancel()
            do throws(JSONValueCutter.Refusal) {
                try request.cutter.finish { request.lines.append($0) }
                settle(&request, context)
            } catch {
                refuse(error, &request, context)
                state = .waiting
            }
        }
    }

    private func refuse(
        _ reason: JSONValueCutter.Refusal, _ request: inout Request, _ context: ChannelHandlerContext
    ) {
        deliver(&request, context)
        state = .ignoring(bytes: 0)
        switch reason {
        case .malformed: answer(.badRequest, "invalid JSON\n", context, keepsAlive: request.keepsAlive)
        case .tooLong:
            answer(.payloadTooLarge, "Request Entity Too Large\n", context, keepsAlive: request.keepsAlive)
        }
    }

    // MARK: events

    private func deliver(_ request: inout Request, _ context: ChannelHandlerContext) {
        let (origin, hits) = desk.origin(of: sender(context))
        guard let batch = request.lines.batch(origin) else { return }
        hits.add(UInt64(batch.count))
        _ = desk.queue.put(batch)
    }

    /// Hands over the last events and answers when they are accounted for, and with them all before.
    private func settle(_ request: inout Request, _ context: ChannelHandlerContext) {
        let (origin, hits) = desk.origin(of: sender(context))
        let batch = request.lines.batch(origin) ?? LineBatch(origin, capacity: 0)
        let keepsAlive = request.keepsAlive
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        batch.onAccounted = {
            loop.execute {
                let (connection, context) = bound.value
                connection.confirm(context, keepsAlive)
            }
        }
        hits.add(UInt64(batch.count))
        guard !desk.queue.put(batch) else { return }
        state = .waiting
        answer(.serviceUnavailable, "shutting down\n", context, keepsAlive: false)
    }

    private func confirm(_ context: ChannelHandlerContext, _ keepsAlive: Bool) {
        guard context.channel.isActive else { return }
        state = .waiting
        let status = HTTPResponseStatus(statusCode: desk.config.status)
        answer(status, "OK", context, keepsAlive: keepsAlive, extra: desk.config.headers)
    }

    /// A peer behind a unix socket has no address; the reference says this.
    private func sender(_ context: ChannelHandlerContext) -> String {
        guard let ip = context.channel.remoteAddress?.ipAddress else { return "127.0.0.1" }
        return IPAddress(ip)?.unmapped.description ?? ip
    }

    // MARK: answers

    private func answer(
        _ status: HTTPResponseStatus, _ text: String, _ context: ChannelHandlerContext, keepsAlive: Bool,
        hasBody: Bool = true, extra: [(name: String, value: String)] = []
    ) {
        isClosing = isClosing || !keepsAlive
        var head = HTTPResponseHead(version: .http1_1, status: status)
        for header in extra { head.headers.replaceOrAdd(name: header.name, value: header.value) }
        let mayHaveBody = hasBody && status.mayHaveResponseBody
        if status.mayHaveResponseBody {
            head.headers.replaceOrAdd(name: "content-length", value: String(text.utf8.count))
        }
        if status == .unauthorized, case .basic = desk.config.authentication {
            head.headers.add(name: "www-authenticate", value: "Basic realm=\"logs\"")
        }
        if isClosing { head.headers.replaceOrAdd(name: "connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if mayHaveBody { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        expectMore(context)
        if isClosing, case .waiting = state { context.close(promise: nil) }
    }
}
