internal import CMicroHTTP
internal import Glibc

/// `GET /metrics` over libmicrohttpd: one thread, few connections, short timeouts. Stops with `stop` or when released.
public final class MetricsListener: Sendable {
    private enum Limit {
        static let connections: UInt32 = 16
        static let timeoutSeconds: UInt32 = 10
        static let connectionBytes = 16 * 1024
    }

    /// Where it listens; never 0.
    public let port: Int
    /// Written in `init`, read in `deinit`: nothing else touches it.
    nonisolated(unsafe) private let daemon: OpaquePointer
    /// Keeps what the daemon's callback points to alive.
    private let metrics: Metrics

    /// - Throws: `ConfigError` when the address is taken.
    public init(address: String, port: Int, metrics: Metrics) throws(ConfigError) {
        let socket = try ListeningSocket(address: address, port: port)
        let context = Unmanaged.passUnretained(metrics).toOpaque()
        let started = crowd_mhd_start(
            socket.fd,
            { context, connection, path, method, _, _, _, _ in MetricsListener.answer(context, connection, path, method)
            },
            context, Limit.connections, Limit.timeoutSeconds,
            Limit.connectionBytes)
        guard let started else {
            close(socket.fd)
            throw ConfigError("metrics listener on \(address):\(port) did not start")
        }
        daemon = started
        self.port = socket.port
        self.metrics = metrics
    }

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

    deinit { MHD_stop_daemon(daemon) }

    private static func answer(
        _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ path: UnsafePointer<CChar>?,
        _ method: UnsafePointer<CChar>?
    ) -> MHD_Result {
        guard let context, let path, let method else { return .NO }
        guard ["GET", "HEAD"].contains(String(cString: method)) else {
            return reply(connection, status: 405, "method not allowed\n")
        }
        guard String(cString: path) == "/metrics" else { return reply(connection, status: 404, "404 page not found\n") }
        let metrics = Unmanaged<Metrics>.fromOpaque(context).takeUnretainedValue()
        return reply(connection, status: 200, metrics.exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
    }

    private static func reply(_ connection: OpaquePointer?, status: UInt32, _ text: String) -> MHD_Result {
        reply(connection, status: status, Array(text.utf8), type: "text/plain; charset=utf-8")
    }

    private static func reply(
        _ connection: OpaquePointer?, status: UInt32, _ body: [UInt8], type: String
    ) -> MHD_Result {
        crowd_mhd_reply(connection, status, body, body.count, type)
    }
}
