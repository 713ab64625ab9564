import CrowdCore
import CrowdHTTP

/// Failures of the network in the words that scripts look for.
enum GoNetworkError {
    /// `dial tcp 127.0.0.1:6060: connect: connection refused`
    static func text(_ error: HTTPError, url: String) -> String {
        guard case .unreachable(let reason) = error else { return "\(error)" }
        if reason.hasPrefix("Could not resolve host") {
            let host = url.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" && $0 != ":" }
            return "dial tcp: lookup \(host): no such host"
        }
        guard reason.lowercased().contains("refused") || reason.contains("connect") else { return reason }
        if url.hasPrefix("/") {
            let reason = FileContents.exists(url) ? "connection refused" : "no such file or directory"
            return "dial unix \(url): connect: \(reason)"
        }
        let authority = url.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" }
        return "dial tcp \(authority): connect: connection refused"
    }

    /// What a log-in ended with that reached nobody: every command begins with one.
    static func logIn(_ error: HTTPError, at endpoint: LAPICredentials.Endpoint) -> String {
        switch endpoint {
        case .url(let url): "Post \"\(url)v1/watchers/login\": \(text(error, url: url))"
        case .socket(let path): "Post \"http://unix/v1/watchers/login\": \(text(error, url: path))"
        }
    }

    /// The standard phrase of the statuses a Local API answers with.
    static func reason(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 422: "Unprocessable Entity"
        case 500: "Internal Server Error"
        default: "Error"
        }
    }
}
