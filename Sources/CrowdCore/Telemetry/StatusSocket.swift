internal import Glibc

/// `GET /status` on a unix socket: what a running service says about itself to its own command line. Stops when
/// released.
public final class StatusSocket: Sendable {
    public let path: String
    private let listener: Int32

    /// - Parameters:
    ///   - path: its directory is made if missing.
    ///   - status: JSON; called on a thread of the socket's own, where it may block.
    /// - Throws: `ConfigError` when another process listens there, or the place cannot be written to.
    public init(path: String, status: @escaping @Sendable () -> [UInt8]) throws(ConfigError) {
        let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        mkdir(directory, 0o755)
        let socket = try ListeningSocket(path: path)
        self.path = path
        listener = socket.fd
        let started = PlainThread.start("status") {
            var loop = ScrapeLoop(listener: socket.fd) { request in
                request.method == "GET" && request.path == "/status"
                    ? ScrapeAnswer(json: status()) : ScrapeAnswer(status: "404 Not Found", text: "404 page not found\n")
            }
            loop.run()
        }
        guard started else {
            close(socket.fd)
            throw ConfigError("listen unix \(path): no thread")
        }
    }

    deinit {
        unlink(path)
        shutdown(listener, Int32(SHUT_RDWR))
    }
}
