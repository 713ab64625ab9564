import CrowdTestSupport
import Glibc
import Synchronization

/// The Local API as a bouncer meets it, on a unix socket, with decisions that the test hands out.
final class DecisionSource: Sendable {
    private struct State {
        var all: [String] = []
        var new: [String] = []
        var deleted: [String] = []
        /// `nil`: bouncers are not told.
        var allowlist: [String]?
        /// Said once each, before anything sensible.
        var nonsense: [ScriptedServer.Response] = []
    }

    private let state = Mutex(State())
    private let server: Mutex<ScriptedServer?>
    let socketPath: String

    init(socketPath: String) {
        self.socketPath = socketPath
        server = Mutex(nil)
    }

    func start() throws {
        unlink(socketPath)
        let made = try ScriptedServer(socketPath: socketPath) { [weak self] request in
            self?.answer(request) ?? .init(500)
        }
        server.withLock { $0 = made }
    }

    /// Adds or renews, at startup and as a change.
    func ban(_ value: String, _ duration: String, origin: String = "crowdsec") {
        let text = Self.decision(value, duration, origin)
        state.withLock { state in
            state.all.removeAll { $0.contains("\"\(value)\"") && $0.contains("\"\(origin)\"") }
            state.all.append(text)
            state.new.append(text)
        }
    }

    func lift(_ value: String, origin: String = "crowdsec") {
        state.withLock { state in
            state.all.removeAll { $0.contains("\"\(value)\"") && $0.contains("\"\(origin)\"") }
            state.deleted.append(Self.decision(value, "-1s", origin))
        }
    }

    /// Values of the one allowlist.
    func allow(_ values: [String]) { state.withLock { $0.allowlist = values } }

    /// What is answered next, to whatever is asked of the stream.
    func say(_ nonsense: [ScriptedServer.Response]) { state.withLock { $0.nonsense += nonsense } }

    /// Whether all of that has been said.
    var hasSaidAll: Bool { state.withLock { $0.nonsense.isEmpty } }

    /// Ends as a process does: nobody is answered any more.
    func stop() {
        server.withLock { server in
            server?.stop()
            server = nil
        }
    }

    private func allowlists() -> ScriptedServer.Response {
        guard let values = state.withLock({ $0.allowlist }) else {
            return .init(403, "{\"message\":\"access forbidden\"}")
        }
        let items = values.map { "{\"value\":\"\($0)\",\"expiration\":\"0001-01-01T00:00:00.000Z\"}" }
        return .init(200, "[{\"name\":\"home\",\"items\":[\(items.joined(separator: ","))]}]")
    }

    private func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Response {
        if request.path.hasPrefix("/v1/allowlists") { return allowlists() }
        guard request.path.hasPrefix("/v1/decisions/stream") else { return .init(404, "{\"message\":\"\"}") }
        let next = state.withLock { $0.nonsense.isEmpty ? nil : $0.nonsense.removeFirst() }
        if let next { return next }
        if request.path.contains("startup=true") {
            return state.withLock { state in
                (state.new, state.deleted) = ([], [])
                return .init(200, Self.body(state.all, []))
            }
        }
        for _ in 0..<100 where state.withLock({ $0.new.isEmpty && $0.deleted.isEmpty }) { sleepMilliseconds(5) }
        return state.withLock { state in
            defer { (state.new, state.deleted) = ([], []) }
            return .init(200, Self.body(state.new, state.deleted), headers: [("X-Crowd-Hold", "1")])
        }
    }

    private static func body(_ new: [String], _ deleted: [String]) -> String {
        "{\"new\": [\(new.joined(separator: ","))], \"deleted\": [\(deleted.joined(separator: ","))]}"
    }

    private static func decision(_ value: String, _ duration: String, _ origin: String) -> String {
        """
        {"duration":"\(duration)","origin":"\(origin)","scenario":"test","scope":"Ip","type":"ban","value":"\(value)"}
        """
    }
}
