import CrowdHTTP

/// Failures of the network in the words that scripts look for.
enum GoNetworkError {
    /// `dial tcp 127.0.0.1:6060: connect: connection refused`
    static func text(_ error: HTTPError, url: String) -> String {
        guard case .unreachable(let reason) = error,
            reason.lowercased().contains("refused") || reason.contains("connect")
        else { return "\(error)" }
        if url.hasPrefix("/") { return "dial unix \(url): connect: connection refused" }
        let authority = url.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" }
        return "dial tcp \(authority): connect: connection refused"
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
