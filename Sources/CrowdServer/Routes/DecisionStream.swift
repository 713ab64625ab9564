import CrowdCore
import CrowdStore
import HTTPTypes
import NIOCore

/// `GET /v1/decisions/stream` (protocol facts A.8), and deltas that are held open until there is one.
extension LocalAPI {
    func streamDecisions(_ call: Call) async throws -> Reply {
        guard case .bouncer(let bouncer) = call.caller else { throw Failure.forbidden() }
        if call.isHead { return .json(200, ByteBuffer()) }
        var filter: DecisionFilter
        do { filter = try DecisionSearch(call.query).filter } catch { return Self.streamReply(Self.brokenStream) }
        if filter.scopes == nil { filter.scopes = DecisionFilter.stream.scopes }

        // A bouncer may have heard of a change from another replica already.
        await store.catchUp()
        let isStart = call.query["startup"] == "true"
        let cursor = isStart ? .start : clients.cursor(of: bouncer.id)
        var answer = try await stream(from: cursor, filter, now: call.now)
        var answeredAt = call.now
        let hold = isStart ? nil : Self.hold(call.headers)
        if let hold, case .change = cursor {
            let deadline = call.now + .seconds(hold)
            while answer.isEmpty && answeredAt < deadline && !isStopping {
                await decisions.waitForChange(after: answer.lastChange, filter, until: deadline)
                answeredAt = .now()
                answer = decisions.stream(from: cursor, filter, now: answeredAt)
            }
        }
        var reply = Self.streamReply(answer.body)
        if let hold, let name = Self.holdField { reply.headers[name] = String(hold) }
        let (clients, lastChange, time) = (clients, answer.lastChange, answeredAt)
        reply.afterSending = { clients.delivered(to: bouncer.id, change: lastChange, at: time) }
        return reply
    }

    /// A short delta from the log is made at once, a long one or a pass over all decisions elsewhere.
    private func stream(from cursor: StreamCursor, _ filter: DecisionFilter, now: Timestamp) async throws
        -> SharedAnswer
    {
        let decisions = decisions
        if let answer = decisions.streamAtOnce(from: cursor, filter, now: now) { return answer }
        return try await BackgroundWork.run { decisions.stream(from: cursor, filter, now: now) }
    }

    /// What a wrong filter gives: the reference has sent its status by then, and only closes the body.
    private static let brokenStream = Reply.Body.pieces([ByteBuffer(staticString: #"{"new": [], "deleted": []}"#)])

    private static func streamReply(_ body: Reply.Body) -> Reply {
        var reply = Reply(status: 200, body: body)
        reply.headers[.contentType] = "application/json"
        return reply
    }

    // MARK: Holding

    private static let holdField = HTTPField.Name("X-Crowd-Hold")
    private static let maxHoldSeconds: Int64 = 60

    /// Seconds that a client asks its delta to be held, as many as we grant.
    private static func hold(_ headers: HTTPFields) -> Int64? {
        guard let name = holdField, let text = headers[name], let seconds = Int64(text), seconds > 0 else { return nil }
        return min(seconds, maxHoldSeconds)
    }
}
