internal import CCurl

/// A client for one endpoint: HTTP/1.1 with keep-alive over libcurl, on one thread of its own that starts with the first
/// request. Any number of requests may be under way.
public final class HTTPClient: Sendable {
    public let endpoint: HTTPEndpoint
    private let loop: CurlLoop

    public init(_ endpoint: HTTPEndpoint) {
        self.endpoint = endpoint
        loop = CurlLoop()
    }

    deinit { loop.stop() }

    /// Sends and waits for the whole answer; any status is an answer.
    ///
    /// Cancelling the task breaks off the transfer at once.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = Transfer(request, endpoint)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.start(transfer) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            loop.cancel(transfer)
        }
        // The loop stops when the client goes: it must not before this.
        return try withExtendedLifetime(self) { () throws(HTTPError) in try result.get() }
    }
}
