internal import CCurl
internal import CrowdCore

/// One request under way.
///
/// `@unchecked Sendable`: made by the caller, then handed to the loop's thread through its mutex; from there on only
/// that thread touches it.
final class Transfer: @unchecked Sendable {
    typealias OnEnd = @Sendable (Result<HTTPResponse, HTTPError>) -> Void

    private let request: HTTPRequest
    private let endpoint: HTTPEndpoint
    /// Called once, on the loop's thread.
    private var onEnd: OnEnd?
    /// Cancelled before it was begun.
    private var isCancelled = false

    private(set) var easy: UnsafeMutableRawPointer?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var payload: UnsafeMutableBufferPointer<UInt8>?
    private var response = HTTPResponse(status: 0)
    private var received = 0
    /// Set by the sinks when they break off.
    private var refusal: HTTPError?
    private let errorBuffer: UnsafeMutablePointer<CChar>

    init(_ request: HTTPRequest, _ endpoint: HTTPEndpoint) {
        self.request = request
        self.endpoint = endpoint
        errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        if let easy { curl_easy_cleanup(easy) }
        curl_slist_free_all(headerList)
        payload?.deallocate()
        errorBuffer.deallocate()
    }

    /// First thing on the loop's thread; false if the transfer was cancelled already, and has ended with that.
    func begin(_ onEnd: @escaping OnEnd) -> Bool {
        self.onEnd = onEnd
        if isCancelled { end(.cancelled) }
        return !isCancelled
    }

    func cancel() {
        isCancelled = true
        end(.cancelled)
    }

    /// Makes the libcurl handle; false when an option was refused, with `end` not yet called.
    func prepare() -> Bool {
        guard let easy = curl_easy_init() else { return false }
        self.easy = easy
        let codes = [
            crowd_curl_set_string(easy, CURLOPT_URL, endpoint.absolute(request.url)),
            crowd_curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            crowd_curl_set_string(easy, CURLOPT_USERAGENT, endpoint.userAgent),
            crowd_curl_set_string(easy, CURLOPT_ACCEPT_ENCODING, "gzip"),
            crowd_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
            crowd_curl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            crowd_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1),
            crowd_curl_set_long(easy, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout)),
            crowd_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(endpoint.connectTimeout)),
            crowd_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorBuffer),
            crowd_curl_set_sinks(easy, transferBody, transferHeader, Unmanaged.passUnretained(self).toOpaque()),
        ]
        return codes.allSatisfy { $0 == CURLE_OK } && prepareTLS(easy) && prepareBody(easy) && prepareHeaders(easy)
    }

    private func prepareTLS(_ easy: UnsafeMutableRawPointer) -> Bool {
        let paths: [(CURLoption, String?)] = [
            (CURLOPT_UNIX_SOCKET_PATH, endpoint.socketPath), (CURLOPT_CAINFO, endpoint.caPath),
            (CURLOPT_SSLCERT, endpoint.certPath), (CURLOPT_SSLKEY, endpoint.keyPath),
        ]
        for case (let option, let path?) in paths where crowd_curl_set_string(easy, option, path) != CURLE_OK {
            return false
        }
        crowd_curl_set_long(easy, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if endpoint.insecureSkipVerify {
            crowd_curl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0)
            crowd_curl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0)
        }
        return true
    }

    private func prepareBody(_ easy: UnsafeMutableRawPointer) -> Bool {
        if request.method == .head { crowd_curl_set_long(easy, CURLOPT_NOBODY, 1) }
        if [.post, .put, .patch].contains(request.method) {
            let body = request.body ?? []
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, body.count))
            _ = copy.initialize(from: body)
            payload = copy
            crowd_curl_set_long(easy, CURLOPT_POST, 1)
            crowd_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
            crowd_curl_set_pointer(easy, CURLOPT_POSTFIELDS, copy.baseAddress)
        }
        guard [.put, .patch, .delete].contains(request.method) else { return true }
        return crowd_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method.rawValue) == CURLE_OK
    }

    private func prepareHeaders(_ easy: UnsafeMutableRawPointer) -> Bool {
        headerList = curl_slist_append(nil, "Expect:")
        for header in request.headers {
            guard let longer = curl_slist_append(headerList, "\(header.name): \(header.value)") else { return false }
            headerList = longer
        }
        return crowd_curl_set_pointer(easy, CURLOPT_HTTPHEADER, headerList) == CURLE_OK
    }

    private func milliseconds(_ duration: GoDuration) -> Int { Int(max(1, duration.nanoseconds / 1_000_000)) }
}

/// What libcurl tells while the transfer runs.
extension Transfer {
    fileprivate func take(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if received == 0 { request.onHead?(response) }
        received += bytes.count
        guard received <= request.maxResponseBytes else {
            refusal = .tooLarge(limit: request.maxResponseBytes)
            return false
        }
        if let sink = request.bodySink, (200..<300).contains(response.status) {
            if sink(bytes) { return true }
            refusal = .aborted
            return false
        }
        response.body.append(contentsOf: bytes)
        return true
    }

    fileprivate func takeHeader(_ line: UnsafeBufferPointer<UInt8>) {
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            response.headers.removeAll()
            response.status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, response.headers.count < 100 else { return }
        response.headers.append((parts[0].lowercased(), Self.trimmed(parts[1])))
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop { $0.isWhitespace })
    }

    /// Ends the transfer with what libcurl says.
    func end(_ code: CURLcode) {
        if let easy, code == CURLE_OK {
            var status = 0
            crowd_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
            response.status = status
            return finish(.success(response))
        }
        finish(.failure(refusal ?? error(code)))
    }

    func end(_ error: HTTPError) { finish(.failure(error)) }

    private func finish(_ result: Result<HTTPResponse, HTTPError>) {
        let callback = onEnd
        onEnd = nil
        callback?(result)
    }

    private func error(_ code: CURLcode) -> HTTPError {
        let detail = String(cString: errorBuffer)
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_PROXY: return .unreachable(text)
        case CURLE_OPERATION_TIMEDOUT: return .timedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            return .tls(text)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return .invalidRequest(text)
        default: return .broken(text)
        }
    }
}

private func transferBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let length = size * count
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return bytes.withMemoryRebound(to: UInt8.self, capacity: length) {
        transfer.take(UnsafeBufferPointer(start: $0, count: length)) ? length : -1
    }
}

private func transferHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let length = size * count
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    bytes.withMemoryRebound(to: UInt8.self, capacity: length) {
        transfer.takeHeader(UnsafeBufferPointer(start: $0, count: length))
    }
    return length
}
