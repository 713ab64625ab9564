public import CrowdCore
public import CrowdHTTP

/// The Local API as a bouncer sees it: the decision stream and usage metrics (protocol facts A.8, A.11).
public actor BouncerClient {
    /// Called for each decision of an answer, in the answer's order, on the HTTP thread. What it collects must only be
    /// acted upon when `stream` has returned: until then the answer may turn out to be cut off.
    public typealias Consumer = @Sendable (_ isDeleted: Bool, StreamDecision) -> Void

    public struct Settings: Sendable {
        public var endpoint: HTTPEndpoint
        /// `nil` where a client certificate speaks for the bouncer.
        public var apiKey: String?
        /// Query parameters of every stream request: `scopes`, `origins`, …; empty values are left out.
        public var filters: [(name: String, values: [String])] = []
        public var timeout = GoDuration.seconds(120)
        /// Longest accepted answer.
        public var maxResponseBytes = 1 << 30

        public init(endpoint: HTTPEndpoint, apiKey: String?) {
            self.endpoint = endpoint
            self.apiKey = apiKey
        }
    }

    public struct Answer: Equatable, Sendable {
        /// The server knows held requests and granted this many seconds; `nil`: a plain server, poll it.
        public var holdSeconds: Int?
        /// List items that were no decisions.
        public var unreadable = 0
    }

    /// One request may be held this long.
    public static let longestHold = 60

    private let settings: Settings
    private let http: HTTPClient

    public init(_ settings: Settings) {
        self.settings = settings
        http = HTTPClient(settings.endpoint)
    }

    public nonisolated var address: String { http.endpoint.socketPath ?? http.endpoint.baseURL }

    /// One request to the stream.
    ///
    /// - Parameters:
    ///   - startup: ask for everything instead of what changed since the last answer.
    ///   - hold: ask the server to keep a delta request open until something changes, for at most this many seconds.
    /// - Throws: `LAPIError`; the server then repeats the same delta next time.
    public func stream(
        startup: Bool, hold: Int? = nil, consume: @escaping Consumer
    ) async throws(LAPIError) -> Answer {
        let collector = StreamCollector(consume)
        var request = HTTPRequest(.get, "v1/decisions/stream" + query(startup: startup), headers: headers)
        request.timeout = settings.timeout
        request.maxResponseBytes = settings.maxResponseBytes
        request.bodySink = { collector.take($0) }
        if let hold, !startup {
            let seconds = min(max(1, hold), Self.longestHold)
            request.headers.append(("X-Crowd-Hold", String(seconds)))
            request.timeout = GoDuration(nanoseconds: request.timeout.nanoseconds + Int64(seconds) * 1_000_000_000)
        }
        let response = try await send(request)
        guard let unreadable = collector.finish() else {
            throw .badAnswer("the decision stream was cut off or malformed")
        }
        return Answer(holdSeconds: response["x-crowd-hold"].flatMap { Int($0) }, unreadable: unreadable)
    }

    /// Posts usage metrics; false where the Local API is too old to know them.
    public func postUsageMetrics(_ json: [UInt8]) async throws(LAPIError) -> Bool {
        var request = HTTPRequest(.post, "v1/usage-metrics", headers: headers, body: json)
        request.headers.append(("Content-Type", "application/json"))
        request.timeout = .seconds(10)
        do {
            _ = try await send(request)
            return true
        } catch .refused(let status, _) where status == 404 || status == 405 {
            return false
        }
    }

    /// The entries of all allowlists; a Local API of CrowdSec's refuses to tell a bouncer.
    public func allowlists() async throws(LAPIError) -> [AllowlistItem] {
        var request = HTTPRequest(.get, "v1/allowlists?with_content=true", headers: headers)
        request.timeout = .seconds(30)
        request.maxResponseBytes = 64 << 20
        let response = try await send(request)
        do {
            return AllowlistItem.items(try JSON.parse(response.body))
        } catch {
            throw .badAnswer("allowlists: \(error)")
        }
    }

    private func send(_ request: HTTPRequest) async throws(LAPIError) -> HTTPResponse {
        let response: HTTPResponse
        do {
            response = try await http.send(request)
        } catch .aborted {
            throw .badAnswer("the decision stream is malformed")
        } catch {
            throw .unreachable(error)
        }
        guard response.isSuccess else { throw LAPIError(response) }
        return response
    }

    private var headers: [(name: String, value: String)] { settings.apiKey.map { [("X-Api-Key", $0)] } ?? [] }

    private func query(startup: Bool) -> String {
        var parts = startup ? ["startup=true"] : []
        for filter in settings.filters where !filter.values.isEmpty {
            parts.append("\(filter.name)=\(Self.escaped(filter.values.joined(separator: ",")))")
        }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "-._~".utf8.contains(byte): out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
