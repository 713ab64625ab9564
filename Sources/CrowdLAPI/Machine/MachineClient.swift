public import CrowdCore
public import CrowdHTTP
internal import Synchronization

/// The Local API as a machine (agent or `cscli`) sees it: logs in, keeps its token fresh, repeats what may be repeated
/// (protocol facts E).
public actor MachineClient {
    public struct Settings: Sendable {
        public var credentials: LAPICredentials
        public var insecureSkipVerify = false
        /// `crowdsec/v1.2.3-linux`: exactly one slash.
        public var userAgent: String
        /// Told at login: installed scenarios, sorted; `nil` sends null, as `cscli` does.
        public var scenarios: [String]?
        public var timeout = GoDuration.seconds(30)
        /// Whether 429, 503 and 504 are waited out; off for interactive use.
        public var waitsWhenBusy = true
        /// Whether long bodies are gzipped; nil: unless the server is on this host.
        public var gzipsBodies: Bool?

        public init(_ credentials: LAPICredentials, userAgent: String, scenarios: [String]? = nil) {
            self.credentials = credentials
            self.userAgent = userAgent
            self.scenarios = scenarios
        }
    }

    private struct Token {
        var text: String
        var expires: Timestamp
    }

    /// Bodies above this are sent gzipped, until a server turns out not to inflate. On the same host there is nothing
    /// to save: packing costs the agent more than writing the alerts.
    private static let gzipThreshold = 5 * 1024
    private static let gzipLevel: Int32 = 1

    private var settings: Settings
    private let http: HTTPClient
    private var token: Token?
    private var login: Task<Result<Token, LAPIError>, Never>?
    private var inflates: Bool

    public init(_ settings: Settings) {
        self.settings = settings
        let endpoint = Self.endpoint(settings)
        inflates = settings.gzipsBodies ?? !endpoint.isLoopback
        http = HTTPClient(endpoint)
    }

    /// Where it talks to, for messages.
    public nonisolated var address: String { http.endpoint.socketPath ?? http.endpoint.baseURL }

    /// Logs in now, whatever token there is: to learn early whether the credentials are good.
    public func authenticate() async throws(LAPIError) {
        token = nil
        _ = try await currentToken()
    }

    /// Posts a JSON array of alerts.
    public func postAlerts(_ json: [UInt8]) async throws(LAPIError) -> AlertReceipt {
        try AlertReceipt(try await send(.post, "v1/alerts", json: json))
    }

    public func heartbeat() async throws(LAPIError) { _ = try await send(.get, "v1/heartbeat") }

    /// The body of usage metrics, which are worth one try.
    public func postUsageMetrics(_ json: [UInt8]) async throws(LAPIError) {
        _ = try await send(.post, "v1/usage-metrics", json: json)
    }

    /// Other credentials for the same Local API, for the next login.
    ///
    /// - Returns: false when they are those in use, or lead elsewhere.
    public func use(_ credentials: LAPICredentials) -> Bool {
        var same = settings.credentials
        (same.login, same.password) = (credentials.login, credentials.password)
        guard same == credentials, credentials != settings.credentials else { return false }
        settings.credentials = credentials
        token = nil
        return true
    }

    /// Registers this machine's login and password (protocol facts A.3).
    ///
    /// - Returns: whether it may log in at once; otherwise somebody has to validate it.
    public func register(token: String) async throws(LAPIError) -> Bool {
        guard let login = settings.credentials.login else {
            throw .badAnswer("a machine with a certificate is not registered by a token")
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("machine_id", login)
        writer.member("password", settings.credentials.password ?? "")
        writer.member("registration_token", token)
        writer.endObject()
        var request = HTTPRequest(
            .post, "v1/watchers", headers: [("Content-Type", "application/json")], body: writer.bytes)
        request.timeout = settings.timeout
        let response = try await transmit(request)
        guard response.isSuccess else { throw LAPIError(response) }
        return response.status == 202
    }

    /// Deletes this machine at the Local API (`unregister_on_exit`).
    public func unregister() async throws(LAPIError) { _ = try await send(.delete, "v1/watchers/self") }

    /// Reads a list of any length: each object is given as it arrives, as JSON `[object]`, on the client's thread.
    ///
    /// - Parameter element: false ends the transfer, which is no error.
    public func list(
        _ path: String, _ element: @escaping @Sendable ([UInt8]) -> Bool
    ) async throws(LAPIError) {
        let splitter = Mutex(ArraySplitter())
        do {
            _ = try await send(.get, path) { piece in splitter.withLock { $0.feed(piece, element) } }
        } catch LAPIError.unreachable(.aborted) {
            return
        }
    }

    /// Any request of an authenticated machine; answers below 400 are returned, the others thrown.
    ///
    /// - Parameter sink: takes the body of a 2xx answer, of any length.
    public func send(
        _ method: HTTPRequest.Method, _ path: String, json: [UInt8]? = nil,
        sink: (@Sendable (UnsafeBufferPointer<UInt8>) -> Bool)? = nil
    ) async throws(LAPIError) -> HTTPResponse {
        var retry = RetryPolicy()
        while true {
            let token = try await currentToken()
            let response = try await exchange(method, path, json: json, token: token, sink)
            if response.status < 400 { return response }
            guard case .retry(let delay, let fresh) = retry.step(afterStatus: response.status),
                delay == .zero || settings.waitsWhenBusy
            else { throw LAPIError(response) }
            if fresh && self.token?.text == token { self.token = nil }
            if delay > .zero {
                guard (try? await Task.sleep(for: .nanoseconds(delay.nanoseconds))) != nil else {
                    throw .unreachable(.cancelled)
                }
            }
        }
    }

    private func exchange(
        _ method: HTTPRequest.Method, _ path: String, json: [UInt8]?, token: String,
        _ sink: (@Sendable (UnsafeBufferPointer<UInt8>) -> Bool)?
    ) async throws(LAPIError) -> HTTPResponse {
        var request = HTTPRequest(method, path, headers: [("Authorization", "Bearer \(token)")], body: json)
        request.timeout = settings.timeout
        if let sink {
            request.bodySink = sink
            request.maxResponseBytes = .max
        }
        if json != nil { request.headers.append(("Content-Type", "application/json")) }
        guard let json, json.count > Self.gzipThreshold, inflates,
            let packed = Gzip.compress(json, level: Self.gzipLevel)
        else {
            return try await transmit(request)
        }
        var gzipped = request
        gzipped.body = packed
        gzipped.headers.append(("Content-Encoding", "gzip"))
        let answer = try await transmit(gzipped)
        guard answer.status == 400 else { return answer }
        // CrowdSec 1.4's server takes the gzip bytes for JSON.
        let plain = try await transmit(request)
        if plain.status != 400 { inflates = false }
        return plain
    }

    /// A network error drops the token: the server may be another one when it is back.
    private func transmit(_ request: HTTPRequest) async throws(LAPIError) -> HTTPResponse {
        do {
            return try await http.send(request)
        } catch {
            token = nil
            throw .unreachable(error)
        }
    }
}

/// Tokens.
extension MachineClient {
    /// A token good for another minute; concurrent callers share one login.
    private func currentToken() async throws(LAPIError) -> String {
        if let token, token.expires > Timestamp.now() + .seconds(60) { return token.text }
        let task = login ?? Task { await self.logIn() }
        login = task
        let result = await task.value
        if login == task { login = nil }
        let fresh = try result.get()
        token = fresh
        return fresh.text
    }

    private func logIn() async -> Result<Token, LAPIError> {
        var request = HTTPRequest(
            .post, "v1/watchers/login", headers: [("Content-Type", "application/json")], body: loginBody)
        request.timeout = settings.timeout
        do {
            let response = try await http.send(request)
            guard response.isSuccess else { return .failure(LAPIError(response)) }
            let json = try? JSON.parse(response.body)
            guard let text = json?["token"]?.string, let expire = json?["expire"]?.string,
                let time = Timestamp(rfc3339: expire)
            else { return .failure(.badAnswer(String(response.text.prefix(100)))) }
            return .success(Token(text: text, expires: time))
        } catch {
            return .failure(.unreachable(error))
        }
    }

    private var loginBody: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if let login = settings.credentials.login {
            writer.member("machine_id", login)
            writer.member("password", settings.credentials.password ?? "")
        }
        if let scenarios = settings.scenarios {
            writer.member("scenarios", scenarios)
        } else {
            writer.key("scenarios")
            writer.null()
        }
        writer.endObject()
        return writer.bytes
    }

    private static func endpoint(_ settings: Settings) -> HTTPEndpoint {
        let credentials = settings.credentials
        var endpoint =
            switch credentials.endpoint {
            case .url(let url): HTTPEndpoint(baseURL: url, userAgent: settings.userAgent)
            case .socket(let path): HTTPEndpoint(socketPath: path, userAgent: settings.userAgent)
            }
        endpoint.caPath = credentials.caPath
        endpoint.certPath = credentials.certPath
        endpoint.keyPath = credentials.keyPath
        endpoint.insecureSkipVerify = settings.insecureSkipVerify
        return endpoint
    }
}
