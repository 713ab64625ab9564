import CrowdCore
import CrowdEngine
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Synchronization

/// Takes events that are posted as JSON.
///
/// A request is answered once its events are accounted for: what was answered survives the agent. Bodies are cut into
/// values while they arrive and never kept as a whole.
final class HTTPSource: DataSource {
    private static let mostConnections = 256
    /// What one request may unpack to.
    private static let mostInflatedBytes = 1 << 30

    private let config: HTTPSourceConfig
    private let context: AcquisitionContext
    private let begun = Atomic(false)
    private let boundPort = Atomic(0)

    init(_ config: HTTPSourceConfig, _ context: AcquisitionContext) {
        self.config = config
        self.context = context
    }

    var name: String {
        "http:" + (config.address.map { "\($0.host):\($0.port)" } ?? config.socketPath ?? "") + config.path
    }
    var module: String { "http" }
    var isFinite: Bool { false }
    var hasBegun: Bool { begun.load(ordering: .acquiring) }
    /// Where it listens, once it has begun.
    var port: Int { boundPort.load(ordering: .acquiring) }

    func run(into queue: LineQueue, until stop: StopFlag) throws {
        let tls = try config.tls?.context()
        let listener = StreamListener(limit: Self.mostConnections, log: context.log)
        let desk = HTTPDesk(config, context, into: queue)
        let setUp: StreamListener.SetUp = { channel in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: false)
            try pipeline.addHandler(NIOHTTPRequestDecompressor(limit: .size(Self.mostInflatedBytes)))
            try pipeline.addHandler(HTTPConnection(desk, listener))
        }
        if let address = config.address {
            let port = try listener.listen(at: .tcp(address: address.host, port: address.port), tls: tls, setUp)
            boundPort.store(port, ordering: .releasing)
        }
        if let path = config.socketPath { try listener.listen(at: .unix(path: path), tls: nil, setUp) }
        context.log.info("Listening for events over HTTP. at=\(name)")
        begun.store(true, ordering: .releasing)
        while !stop.isSet { usleep(100_000) }
        listener.close()
    }
}

/// What all connections of one source share.
///
/// `@unchecked Sendable`: `origins` is touched by the listener's thread alone, the rest is constant.
final class HTTPDesk: @unchecked Sendable {
    /// More senders than this are forgotten and made anew.
    private static let mostSenders = 1_024

    let config: HTTPSourceConfig
    let log: Logger
    let queue: LineQueue
    private let metrics: Metrics
    private var origins: [String: (origin: LineOrigin, hits: Counter)] = [:]

    init(_ config: HTTPSourceConfig, _ context: AcquisitionContext, into queue: LineQueue) {
        self.config = config
        self.queue = queue
        log = context.log
        metrics = context.metrics
    }

    /// `evt.Line.Src` is the sender, or the path where figures are kept few.
    func origin(of sender: String) -> (origin: LineOrigin, hits: Counter) {
        let source = metrics.level == .aggregated ? config.path : sender
        if let known = origins[source] { return known }
        if origins.count >= Self.mostSenders { origins = [:] }
        let made = (
            LineOrigin(
                source: source, module: "http", labels: config.common.labels, isReplay: config.common.isReplay),
            metrics.counter(
                .httpSourceHits,
                [
                    ("path", config.path), ("src", source), ("datasource_type", "http"),
                    ("acquis_type", config.common.type),
                ])
        )
        origins[source] = made
        return made
    }

    /// Whether the request shows what it must; takes as long for a wrong password as for the right one.
    func isAuthentic(_ headers: HTTPHeaders) -> Bool {
        switch config.authentication {
        case .mtls: true
        case .headers(let wanted):
            wanted.allSatisfy { Digest.equal(Array((headers.first(name: $0.name) ?? "").utf8), Array($0.value.utf8)) }
        case .basic(let username, let password):
            headers.first(name: "authorization").map { Self.isBasic($0, username, password) } ?? false
        }
    }

    private static func isBasic(_ header: String, _ username: String, _ password: String) -> Bool {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", let given = Base64.decode(parts[1]) else {
            return false
        }
        return Digest.equal(given, Array("\(username):\(password)".utf8))
    }
}
