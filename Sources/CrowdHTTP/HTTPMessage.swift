public import CrowdCore

/// A request. Its body, if any, is sent as it is; `Content-Type` and `Content-Encoding` are the caller's.
public struct HTTPRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case delete = "DELETE"
        case put = "PUT"
        case patch = "PATCH"
    }

    public var method: Method
    /// Absolute, or relative to the client's base URL.
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]?
    /// For the whole exchange, connecting included.
    public var timeout = GoDuration.seconds(30)
    /// Longest accepted body, in bytes after inflating.
    public var maxResponseBytes = 64 * 1024 * 1024
    /// Takes the body of a 2xx answer piece by piece, on the client's thread, instead of collecting it; returning false
    /// aborts the transfer.
    public var bodySink: (@Sendable (UnsafeBufferPointer<UInt8>) -> Bool)?
    /// Told status and headers before the first byte goes to the sink, on the client's thread.
    public var onHead: (@Sendable (HTTPResponse) -> Void)?

    public init(
        _ method: Method, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// An answer of any status; without a body where a sink took it.
public typealias HTTPResponse = WebAnswer

/// Why there is no answer.
public enum HTTPError: Error, Equatable, Sendable {
    /// Not a URL, or a setting that libcurl refuses (an unreadable certificate).
    case invalidRequest(String)
    /// No connection: unknown host, refused, no such socket.
    case unreachable(String)
    /// The handshake or the certificate check failed.
    case tls(String)
    case timedOut
    /// The body is longer than the request allows.
    case tooLarge(limit: Int)
    /// The connection broke, or the answer was not HTTP.
    case broken(String)
    /// The request's sink asked for it.
    case aborted
    case cancelled
}

extension HTTPError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidRequest(let text): "invalid request: \(text)"
        case .unreachable(let text), .broken(let text): text
        case .tls(let text): "TLS: \(text)"
        case .timedOut: "timed out"
        case .tooLarge(let limit): "answer larger than \(limit) bytes"
        case .aborted: "aborted"
        case .cancelled: "cancelled"
        }
    }
}
