public import CrowdCore
import CrowdHTTP

/// A hub behind a URL template with two `%s`: branch and path (engine facts H.5).
public struct RemoteHub: HubSource {
    public static let publicTemplate = "https://cdn-hub.crowdsec.net/crowdsecurity/%s/%s"
    /// Longest item read.
    static let maxItemBytes = 16 << 20
    static let maxDataBytes = 2 << 30

    public let template: String
    public let branch: String
    private let client: HTTPClient
    private let attempts: Int

    /// - Parameter attempts: how often a request is tried when the network or the server fails.
    public init(template: String = Self.publicTemplate, branch: String, userAgent: String, attempts: Int = 3) {
        self.template = template
        self.branch = branch
        self.attempts = attempts
        client = HTTPClient(HTTPEndpoint(baseURL: "http://invalid/", userAgent: userAgent))
    }

    public func url(_ path: String) -> String {
        let parts = template.split(separator: "%s", maxSplits: 2, omittingEmptySubsequences: false)
        return zip(parts, [branch, path, ""]).map { $0 + $1 }.joined()
    }

    public func index(withContent: Bool, known: String?) async throws(HubError) -> [UInt8]? {
        let url = url(".index.json") + (withContent ? "?with_content=true" : "")
        var request = HTTPRequest(.get, url)
        request.maxResponseBytes = HubIndex.maxBytes
        request.timeout = .seconds(120)
        if let known { request.headers.append(("If-None-Match", "\"\(known)\"")) }
        let answer = try await send(request)
        if answer.status == 304 { return nil }
        guard answer.status == 200 else { throw .badStatus(answer.status, url: url) }
        return known == Hex.encode(Digest.sha256(answer.body)) ? nil : answer.body
    }

    public func item(_ path: String) async throws(HubError) -> [UInt8] {
        var request = HTTPRequest(.get, url(path))
        request.maxResponseBytes = Self.maxItemBytes
        let answer = try await send(request)
        guard answer.status == 200 else { throw .badStatus(answer.status, url: request.url) }
        return answer.body
    }

    public func data(
        _ url: String, since: Timestamp?, to path: String, progress: @escaping DownloadProgress
    ) async throws(HubError) -> Bool {
        let file = try DownloadFile(path, progress)
        var last = HubError.unreachable("no answer", url: url)
        for attempt in 0..<max(1, attempts) {
            if attempt > 0 { await Self.pause(attempt) }
            var request = HTTPRequest(.get, url)
            request.timeout = .seconds(1800)
            request.maxResponseBytes = Self.maxDataBytes
            if let since { request.headers.append(("If-Modified-Since", since.httpDate)) }
            resume(&request, file)
            request.bodySink = { file.append($0) }
            request.onHead = { file.begin($0) }
            do {
                let answer = try await client.send(request)
                if answer.status == 304 { return false }
                guard answer.isSuccess else {
                    last = .badStatus(answer.status, url: url)
                    guard answer.status >= 500 || answer.status == 429 else { throw last }
                    continue
                }
                try file.finish()
                return true
            } catch let error as HubError {
                throw error
            } catch let error as HTTPError {
                if let fault = file.fault { throw fault }
                last = .unreachable(error.description, url: url)
            } catch {
                throw .unreachable("\(error)", url: url)
            }
        }
        throw last
    }

    /// Asks for the rest of what a broken transfer left, if the server can tell that it still is the same file.
    private func resume(_ request: inout HTTPRequest, _ file: DownloadFile) {
        guard file.count > 0, let validator = file.validator else { return }
        request.headers += [
            ("Range", "bytes=\(file.count)-"), ("If-Range", validator), ("Accept-Encoding", "identity"),
        ]
    }

    private func send(_ request: HTTPRequest) async throws(HubError) -> HTTPResponse {
        var last = HubError.unreachable("no answer", url: request.url)
        for attempt in 0..<max(1, attempts) {
            if attempt > 0 { await Self.pause(attempt) }
            do {
                let answer = try await client.send(request)
                guard answer.status >= 500 || answer.status == 429 else { return answer }
                last = .badStatus(answer.status, url: request.url)
            } catch {
                last = .unreachable(error.description, url: request.url)
                if case .invalidRequest = error { throw last }
                if case .tooLarge = error { throw last }
            }
        }
        throw last
    }

    /// A second, then two, with a little chance so that many hosts do not come back together.
    private static func pause(_ attempt: Int) async {
        let seconds = Double(1 << min(attempt - 1, 4)) * Double.random(in: 0.75...1.25)
        try? await Task.sleep(for: .seconds(seconds))
    }
}
