import CrowdCore
import CrowdServer
import CrowdStore
import Glibc
import Logging

/// Start, reload and stop of the Local API. Exit status 0, 1 for a failed start, 2 for a wrong command line.
struct Daemon: Sendable {
    let signals: SignalEvents

    func run(_ arguments: [String]) async -> Int32 {
        let options: Options
        do { options = try Options(Array(arguments.dropFirst())) } catch {
            let text = error == .help ? Options.flags.usage : "\(error)\n\(Options.flags.usage)"
            Self.print(text, to: error == .help ? 1 : 2)
            return error.exitStatus
        }
        if options.showsVersion {
            Self.print(SuiteVersion.report, to: 1)
            return 0
        }
        do { return try await start(options) } catch {
            SuiteLogging.fatal("\(error)")
            return 1
        }
    }

    /// Until there is a log, what goes wrong is thrown; from then on it is said there, too.
    private func start(_ options: Options) async throws -> Int32 {
        guard !options.leavesOutServer else {
            throw ConfigError("you must run at least the API Server or crowdsec")
        }
        let config = try SuiteConfig.load(path: options.configPath)
        let logs = try Logs(config, options)
        do { return try await serve(config, options, logs) } catch {
            logs.messages.fatal("\(error)")
            return 1
        }
    }

    private func serve(_ config: SuiteConfig, _ options: Options, _ logs: Logs) async throws -> Int32 {
        // Told to leave the agent alone, it has nothing else to be.
        guard !options.leavesOutAgent || config.runsServer else {
            throw ConfigError("you must run at least the API Server or crowdsec")
        }
        let (server, database) = try Self.sections(of: config)
        let logger = logs.messages.logger("lapi")
        for warning in config.warnings { logger.warning("\(warning)") }
        let secret = try Self.secret()
        if options.onlyTests { return try await test(server, database, logger) }

        if let directory = config.common.workingDirectory { chdir(directory) }
        let metrics = Metrics(level: config.prometheus.level)
        metrics.gauge(.info, [("version", SuiteVersion.current)]).set(1)
        let listener = Self.listener(config, metrics, logger)
        defer { withExtendedLifetime(listener) {} }
        let store = try Self.store(database)
        for line in store.migrations { logger.notice("\(line)") }
        let api = try LocalAPI(
            config: server, store: store, secret: secret, metrics: metrics, logger: logger,
            accessLogger: logs.requests.logger("access"), cti: config.cti)
        let service = try LocalAPIService(api, config: server, flush: database.flush)
        let log = logger
        try await service.run { address in
            log.info("CrowdSec Local API listening on \(address)")
            ServiceManager.ready()
        } until: {
            await follow(service, options, logs, log)
        }
        logger.info("Local API stopped")
        return 0
    }

    /// Handles signals until it is time to stop.
    private func follow(
        _ service: LocalAPIService, _ options: Options, _ logs: Logs, _ logger: Logger
    ) async {
        for await event in signals.stream() {
            guard event == .reload else { break }
            ServiceManager.reloading()
            logger.info("SIGHUP received, reloading")
            logs.reopen()
            do {
                let config = try SuiteConfig.load(path: options.configPath)
                let (server, database) = try Self.sections(of: config)
                try service.reload(server, flush: database.flush, cti: config.cti)
                logs.level = Logs.level(config, options)
                logger.info("Configuration reloaded")
            } catch {
                service.reloadFailed()
                logger.error("Reload failed, the old configuration stays in force. error=\(error)")
            }
            ServiceManager.ready()
        }
        ServiceManager.stopping()
        logger.info("serve: shutting down api server")
    }

    /// `-t`: everything that a start would refuse, without serving or touching the database.
    private func test(_ server: LAPIServerConfig, _ database: DatabaseConfig, _ logger: Logger) async throws -> Int32 {
        let store = try SQLiteStore(settings: SQLiteSettings(path: ":memory:", useWAL: false), readers: 0)
        let api = try LocalAPI(config: server, store: store, secret: nil, metrics: Metrics(), logger: logger)
        _ = try LocalAPIService(api, config: server, flush: database.flush)
        await store.close()
        logger.info("Configuration test done")
        return 0
    }

    // MARK: Parts

    private static func store(_ database: DatabaseConfig) throws(ConfigError) -> any Store {
        do { return try Database.store(database) } catch {
            throw ConfigError("unable to create database client: \(error)")
        }
    }

    /// Metrics are worth a message, not a start: without a free port the Local API serves all the same.
    private static func listener(_ config: SuiteConfig, _ metrics: Metrics, _ logger: Logger) -> MetricsListener? {
        do {
            return try MetricsListener.start(config.prometheus, metrics: metrics, mayTakeNextPort: config.runsAgent)
        } catch {
            logger.error("Metrics are not served: \(error)")
            return nil
        }
    }

    private static func sections(of config: SuiteConfig) throws(ConfigError)
        -> (server: LAPIServerConfig, database: DatabaseConfig)
    {
        guard let server = config.server, server.enabled else {
            throw ConfigError("\(config.path): crowdsec local API is disabled: api.server is missing or not enabled")
        }
        guard server.listenURI != nil || server.listenSocket != nil else {
            throw ConfigError("no listen_uri or listen_socket specified")
        }
        guard let database = config.database else { throw ConfigError("no database configuration provided") }
        return (server, database)
    }

    /// `CS_LAPI_SECRET`, shared by all instances behind one address.
    private static func secret() throws(ConfigError) -> [UInt8]? {
        guard let text = getenv("CS_LAPI_SECRET").map({ String(cString: $0) }), !text.isEmpty else { return nil }
        guard text.utf8.count >= 64 else {
            throw ConfigError(
                "api server init: unable to run local API: controller init: CS_LAPI_SECRET not strong enough")
        }
        return Array(text.utf8)
    }

    private static func print(_ text: String, to descriptor: Int32) {
        let line = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
        _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }
}
