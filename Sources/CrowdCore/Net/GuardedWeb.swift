import Synchronization

/// Web servers for expressions: rules ask while events wait, and what they ask may be up to an attacker.
///
/// (1) A question takes ten seconds at most, redirects included, and brings 10 MiB at most.
/// (2) A server that fails, or takes longer than `slow`, three times in a row is not asked during half a minute: one
/// that is down costs 30 seconds once, not ten for every event.
public final class GuardedWeb: WebAccess {
    /// What a question may cost.
    public struct Limits: Sendable {
        public var whole = GoDuration.seconds(10)
        public var slow = GoDuration.seconds(3)
        public var bodyBytes = 10 * 1024 * 1024
        public var redirects = 10
        public var failures = 3
        public var pause = GoDuration.seconds(30)
        public init() {}
    }

    private struct Record {
        var failures = 0
        var pausedUntil = Timestamp(nanoseconds: 0)
    }

    /// Why there is no answer.
    public struct Failure: Error, Sendable {
        public let reason: String
        /// Whether it says something about the server: not a question that could not be put, nor an answer too long.
        public let isServers: Bool

        public init(_ reason: String, isServers: Bool) {
            self.reason = reason
            self.isServers = isServers
        }
    }

    /// Puts a question to its server and waits, for so long and for so many bytes at most.
    public typealias Exchange =
        @Sendable (_ question: WebQuestion, _ patience: GoDuration, _ bodyBytes: Int) throws(Failure) -> WebAnswer

    private static let mostServers = 1_000

    private let limits: Limits
    private let exchange: Exchange
    private let servers = Mutex<[String: Record]>([:])

    public init(_ limits: Limits = Limits(), exchange: @escaping Exchange) {
        self.limits = limits
        self.exchange = exchange
    }

    public func ask(_ question: WebQuestion) throws(ValueError) -> WebAnswer {
        let end = Timestamp.now() + limits.whole
        var question = question
        for _ in 0...limits.redirects {
            let answer = try askOnce(question, until: end)
            guard let next = Self.redirected(question, by: answer) else { return answer }
            question = next
        }
        throw ValueError("\(question.method) \(question.url): stopped after \(limits.redirects) redirects")
    }

    private func askOnce(_ question: WebQuestion, until end: Timestamp) throws(ValueError) -> WebAnswer {
        func failure(_ reason: String) -> ValueError { ValueError("\(question.method) \(question.url): \(reason)") }
        guard let server = WebAddress(question.url)?.server else { throw failure("not an http or https URL") }
        let begin = Timestamp.now()
        guard mayAsk(server, at: begin) else { throw failure("the server is not asked, it failed too often") }
        let patience = end - begin
        guard patience > .zero else { throw failure("timed out") }
        do throws(Failure) {
            let answer = try exchange(question, patience, limits.bodyBytes)
            note(server, hasFailed: Timestamp.now() - begin > limits.slow)
            return answer
        } catch {
            note(server, hasFailed: error.isServers || Timestamp.now() - begin > limits.slow)
            throw failure(error.reason)
        }
    }

    // MARK: servers that fail

    private func mayAsk(_ server: String, at now: Timestamp) -> Bool {
        servers.withLock { ($0[server]?.pausedUntil ?? now) <= now }
    }

    private func note(_ server: String, hasFailed: Bool) {
        let now = Timestamp.now()
        servers.withLock { servers in
            guard hasFailed else {
                servers[server] = nil
                return
            }
            if servers.count >= Self.mostServers { servers = servers.filter { $0.value.pausedUntil > now } }
            if servers.count >= Self.mostServers { servers.removeAll() }
            var record = servers[server] ?? Record()
            record.failures += 1
            if record.failures >= limits.failures {
                record = Record(failures: 0, pausedUntil: now + limits.pause)
            }
            servers[server] = record
        }
    }

    // MARK: redirects

    /// The question that follows from an answer, as browsers and Go's client ask it; nil when that was the answer.
    static func redirected(_ question: WebQuestion, by answer: WebAnswer) -> WebQuestion? {
        guard [301, 302, 303, 307, 308].contains(answer.status),
            let location = answer["location"],
            let from = WebAddress(question.url), let url = from.resolved(location), let target = WebAddress(url)
        else { return nil }
        var next = question
        next.url = url
        if answer.status <= 303 {
            if question.method != "HEAD" { next.method = "GET" }
            next.body = nil
        }
        // What proves who asks is for that server alone.
        if target.server != from.server {
            next.headers.removeAll { ["authorization", "cookie", "x-api-key"].contains($0.name.lowercased()) }
        }
        return next
    }
}
