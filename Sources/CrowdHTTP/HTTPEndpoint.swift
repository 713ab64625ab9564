public import CrowdCore

/// Where a client's requests go, and how the two sides know each other.
public struct HTTPEndpoint: Sendable, Equatable {
    /// Ends in `/`; relative URLs are appended to it.
    public var baseURL: String
    /// A unix socket to connect to instead of the URL's host.
    public var socketPath: String?
    /// Accepted beside the system's certificate authorities.
    public var caPath: String?
    /// Client certificate, PEM.
    public var certPath: String?
    public var keyPath: String?
    public var insecureSkipVerify = false
    public var userAgent: String
    public var connectTimeout = GoDuration.seconds(10)

    public init(baseURL: String, userAgent: String) {
        self.baseURL = baseURL.hasSuffix("/") ? baseURL : baseURL + "/"
        self.userAgent = userAgent
    }

    /// A server behind a unix socket.
    public init(socketPath: String, userAgent: String) {
        self.init(baseURL: "http://unix/", userAgent: userAgent)
        self.socketPath = socketPath
    }

    /// The server is on this host, by a socket or a loopback address.
    public var isLoopback: Bool {
        guard socketPath == nil, let mark = baseURL.utf8.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let host = baseURL[mark...].drop { $0 == ":" || $0 == "/" }
        return ["127.", "localhost:", "localhost/", "[::1]"].contains { host.hasPrefix($0) }
    }

    func absolute(_ url: String) -> String {
        url.hasPrefix("http://") || url.hasPrefix("https://") ? url : baseURL + url.drop { $0 == "/" }
    }
}
