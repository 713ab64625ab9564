public import CrowdCore
import CrowdStore
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The Local API on its listeners: TCP (with TLS when configured) and unix socket.
public final class LocalAPIService: Sendable {
    private let api: LocalAPI
    private let config: LAPIServerConfig
    private let flush: Mutex<DatabaseConfig.Flush>
    private let tls: ServerTLS?
    private let connections = ConnectionLimit()

    public init(_ api: LocalAPI, config: LAPIServerConfig, flush: DatabaseConfig.Flush) throws(ConfigError) {
        self.api = api
        self.config = config
        self.flush = Mutex(flush)
        if let uri = config.listenURI { _ = try Self.split(uri) }
        if let path = config.listenSocket, path.utf8.count > Self.longestSocketPath {
            throw ConfigError(
                "api.server.listen_socket: the path is longer than \(Self.longestSocketPath) bytes: \(path)")
        }
        if let tls = config.tls, tls.certPath != nil {
            self.tls = try ServerTLS(tls, logger: api.logger)
        } else {
            tls = nil
        }
    }

    /// A changed configuration could not be read.
    public func reloadFailed() { api.reloadFailed() }

    /// Takes over profiles, certificates, flush rules and everything else but what is listened on; on an error nothing.
    public func reload(_ config: LAPIServerConfig, flush: DatabaseConfig.Flush, cti: CTIConfig?)
        throws(ConfigError)
    {
        try api.reload(config, cti: cti) { () throws(ConfigError) in
            guard let tls, let fresh = config.tls else { return }
            try tls.reload(fresh)
            api.health.isOver(.certificates)
        }
        self.flush.withLock { $0 = flush }
        let (old, new) = (self.config, config)
        if old.listenURI != new.listenURI || old.listenSocket != new.listenSocket
            || (old.tls?.certPath == nil) != (new.tls?.certPath == nil)
        {
            api.logger.warning(
                "A changed listen_uri or listen_socket, and TLS that comes or goes, takes effect at the next start.")
        }
    }

    /// Serves until `stop` ends; then open requests get five seconds.
    ///
    /// - Parameter ready: called once for each listener that is bound.
    /// - Throws: what binding failed with.
    public func run(ready: @escaping @Sendable (String) -> Void, until stop: @escaping @Sendable () async -> Void)
        async throws
    {
        try checkPlaces()
        try await api.start()
        let listeners = try listeners(ready: ready)
        var group = ServiceGroupConfiguration(services: listeners, logger: Self.quietLogger)
        group.maximumGracefulShutdownDuration = .seconds(5)
        let services = ServiceGroup(configuration: group)
        let housekeeping = Task {
            await housekeeper().run()
        }
        let stopper = Task {
            await stop()
            api.prepareToStop()
            await services.triggerGracefulShutdown()
        }
        defer { stopper.cancel() }
        let result: Result<Void, any Error>
        do { result = .success(try await services.run()) } catch { result = .failure(error) }
        housekeeping.cancel()
        await housekeeping.value
        await api.store.close()
        if let socket = config.listenSocket { unlink(socket) }
        // Requests that outlived their five seconds are cut off; that is no failure of ours.
        if case .failure(let error) = result, !api.isStopping { throw error }
    }

    func housekeeper() -> Housekeeper {
        Housekeeper(
            api: api, flush: { [self] in flush.withLock { $0 } },
            renewCertificates: { [self] in renewCertificates() }, connections: connections)
    }

    private func renewCertificates() {
        do {
            guard try tls?.renewIfChanged() ?? false else { return }
            api.health.isOver(.certificates)
            api.logger.notice("Certificates read anew: their files changed.")
        } catch {
            api.health.met("changed certificates cannot be used, the old ones stay in force", in: .certificates)
            api.logger.error("Changed certificates cannot be used, the old ones stay in force. error=\(error)")
        }
    }

    /// Both before either is bound: a second server on this host must not take the first one's socket.
    private func checkPlaces() throws(ConfigError) {
        if let uri = config.listenURI {
            let (host, port) = try Self.split(uri)
            do { try ListeningPlace.check(address: host, port: port) } catch {
                throw ConfigError("listening on \(uri): \(error)")
            }
        }
        if let path = config.listenSocket {
            do { try ListeningPlace.check(path: path) } catch { throw ConfigError("listening on \(path): \(error)") }
        }
    }

    private func listeners(ready: @escaping @Sendable (String) -> Void) throws -> [any Service] {
        var listeners: [any Service] = []
        if let uri = config.listenURI {
            let (host, port) = try Self.split(uri)
            listeners.append(application(.hostname(host, port: port), tls: tls, name: uri, ready))
        }
        if let path = config.listenSocket {
            listeners.append(
                application(.unixDomainSocket(path: path), isLocalSocket: true, tls: nil, name: path, ready))
        }
        return listeners
    }

    private func application(
        _ address: BindAddress, isLocalSocket: Bool = false, tls: ServerTLS?, name: String,
        _ ready: @escaping @Sendable (String) -> Void
    ) -> any Service {
        var configuration = ApplicationConfiguration(address: address, serverName: nil)
        configuration.backlog = 1024
        return Application(
            responder: LAPIResponder(api: api, tls: tls, isLocalSocket: isLocalSocket),
            server: Self.builder(tls, connections),
            configuration: configuration,
            onServerRunning: { channel in
                if let path = channel.localAddress?.pathname { chmod(path, 0o666) }
                ready(channel.localAddress?.port.map { "\(Self.host(of: name)):\($0)" } ?? name)
            },
            logger: Self.quietLogger)
    }

    static func builder(_ tls: ServerTLS?, _ limit: ConnectionLimit) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
            (decoder.maxHeaderFieldSize, decoder.maxHeaderListSize) = (16 << 10, 32 << 10)
            decoder.maxHeaderFieldCount = 100
            let channel = HTTP1Channel(
                responder: responder,
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionGuard(), AnswerGathering()], httpDecoderConfiguration: decoder
                ))
            let conforming = ConformingChannel(base: channel)
            guard let tls else { return LoopBoundChannel(base: LimitedChannel(base: conforming, limit: limit)) }
            let secure = TLSListener(base: conforming, tls: tls)
            return LoopBoundChannel(base: LimitedChannel(base: secure, limit: limit))
        }
    }

    private static let longestSocketPath = 107

    /// `host:port`, `:port` for all addresses, `[v6]:port`. All addresses are those of both families, however that is written,
    /// as Go's listeners have it.
    static func split(_ uri: String) throws(ConfigError) -> (host: String, port: Int) {
        guard let colon = uri.lastIndex(of: ":") else {
            throw ConfigError("listening on \(uri): listen tcp: address \(uri): missing port in address")
        }
        let digits = uri[uri.index(after: colon)...]
        guard let port = Int(digits), (0...65535).contains(port) else {
            throw ConfigError("listening on \(uri): listen tcp: address \(digits): invalid port")
        }
        var host = String(uri[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (["", "0.0.0.0", "::"].contains(host) ? allAddresses : host, port)
    }

    private static let allAddresses: String = {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return "0.0.0.0" }
        close(descriptor)
        return "::"
    }()

    private static func host(of uri: String) -> String {
        uri.lastIndex(of: ":").map { String(uri[..<$0]) } ?? uri
    }

    /// Hummingbird's own messages are about connections; ours are about requests.
    private static let quietLogger = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
}
