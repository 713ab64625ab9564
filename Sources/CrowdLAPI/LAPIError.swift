internal import CrowdCore
public import CrowdHTTP

/// Why the Local API did not do what it was asked for.
public enum LAPIError: Error, Equatable, Sendable {
    /// No answer at all.
    case unreachable(HTTPError)
    /// The login, the key or the certificate is wrong: nothing will work until somebody changes it.
    case credentials(status: Int, message: String)
    /// An answer of 400 or above.
    case refused(status: Int, message: String)
    /// A success whose body makes no sense.
    case badAnswer(String)

    init(_ response: HTTPResponse) {
        let message = Self.message(response)
        self =
            [401, 403].contains(response.status)
            ? .credentials(status: response.status, message: message)
            : .refused(status: response.status, message: message)
    }

    /// The `message` of an error body; else the body itself, shortened; else the status.
    private static func message(_ response: HTTPResponse) -> String {
        if let text = (try? JSON.parse(response.body))?["message"]?.string { return text }
        let text = response.text.split(separator: "\n").first.map { String($0.prefix(200)) } ?? ""
        return text.isEmpty ? "http code \(response.status), no body" : text
    }
}

extension LAPIError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable(let error): "\(error)"
        case .credentials(_, let message): "API error: \(message)"
        case .refused(let status, let message): "API error: \(message) (http code \(status))"
        case .badAnswer(let text): "unexpected answer: \(text)"
        }
    }
}
