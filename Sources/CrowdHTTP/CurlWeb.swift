public import CrowdCore

/// Questions to any web server over libcurl, for `GuardedWeb`.
public final class CurlWeb: Sendable {
    private let endpoint: HTTPEndpoint
    private let loop = CurlLoop()

    private init(userAgent: String) { endpoint = HTTPEndpoint(baseURL: "http://localhost/", userAgent: userAgent) }

    deinit { loop.stop() }

    /// Web servers for the expressions of a program.
    public static func guarded(
        _ limits: GuardedWeb.Limits = GuardedWeb.Limits(), userAgent: String = SuiteVersion.userAgent("crowdsec")
    ) -> GuardedWeb {
        let web = CurlWeb(userAgent: userAgent)
        return GuardedWeb(limits) { question, patience, bodyBytes throws(GuardedWeb.Failure) in
            try web.exchange(question, patience, bodyBytes)
        }
    }

    private func exchange(
        _ question: WebQuestion, _ patience: GoDuration, _ bodyBytes: Int
    ) throws(GuardedWeb.Failure) -> WebAnswer {
        guard let method = HTTPRequest.Method(rawValue: question.method) else {
            throw GuardedWeb.Failure("unknown method", isServers: false)
        }
        var request = HTTPRequest(method, question.url, headers: question.headers, body: question.body)
        request.timeout = patience
        request.maxResponseBytes = bodyBytes
        let transfer = Transfer(request, endpoint)
        let ended = Completion<Result<HTTPResponse, HTTPError>>()
        loop.start(transfer) { ended.set($0) }
        switch ended.wait() {
        case .success(let response): return response
        case .failure(let error): throw GuardedWeb.Failure(error.description, isServers: Self.isServers(error))
        }
    }

    private static func isServers(_ error: HTTPError) -> Bool {
        switch error {
        case .invalidRequest, .tooLarge: false
        default: true
        }
    }
}
