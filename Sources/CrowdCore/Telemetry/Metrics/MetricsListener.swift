internal import Glibc

/// `GET /metrics`: one thread, few connections, one request each, short timeouts. Stops when released.
///
/// Our own few lines, because the smallest HTTP library of the distribution brings ten others into every process
/// (docs/decisions/0032).
public final class MetricsListener: Sendable {
    /// Where it listens; never 0.
    public let port: Int
    /// Closed by the loop, once this has shut it down.
    private let listener: Int32

    /// - Throws: `ConfigError` when the address is taken.
    public init(address: String, port: Int, metrics: Metrics) throws(ConfigError) {
        let socket = try ListeningSocket(address: address, port: port)
        listener = socket.fd
        self.port = socket.port
        let started = PlainThread.start("metrics") {
            var loop = ScrapeLoop(listener: socket.fd) { Self.answer($0, metrics) }
            loop.run()
        }
        guard started else {
            close(socket.fd)
            throw ConfigError("metrics listener on \(address):\(port): no thread")
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// As the `prometheus` section says; `nil` when it is off.
    ///
    /// The environment's `CROWD_METRICS_PORT` wins over `listen_port`. Where two services of one host share the file,
    /// the second takes the next port if the first has the configured one (surface facts B.10).
    public static func start(
        _ config: PrometheusConfig, metrics: Metrics, mayTakeNextPort: Bool = false
    ) throws(ConfigError) -> MetricsListener? {
        guard config.enabled else { return nil }
        let override = getenv("CROWD_METRICS_PORT").flatMap { Int(String(cString: $0)) }
        let port = override ?? config.listenPort
        do {
            return try MetricsListener(address: config.listenAddress, port: port, metrics: metrics)
        } catch  where mayTakeNextPort && override == nil {
            return try MetricsListener(address: config.listenAddress, port: port + 1, metrics: metrics)
        }
    }

    private static func answer(_ request: ScrapeRequest, _ metrics: Metrics) -> ScrapeAnswer {
        switch (request.method, request.path) {
        case ("", _): ScrapeAnswer(status: "400 Bad Request", text: "bad request\n")
        case ("GET", "/metrics"), ("HEAD", "/metrics"): ScrapeAnswer(exposition: metrics.exposition())
        case ("GET", _), ("HEAD", _): ScrapeAnswer(status: "404 Not Found", text: "404 page not found\n")
        default: ScrapeAnswer(status: "405 Method Not Allowed", text: "method not allowed\n")
        }
    }
}
