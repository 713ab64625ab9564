import CrowdAcquisition
import CrowdAgent
import CrowdCore
import CrowdEngine
import CrowdExpr
import CrowdHTTP
import CrowdLAPI
import CrowdText
import Glibc
import Logging
import Synchronization

/// Start, reload and stop of the agent.
struct Agent {
    let options: Options
    let signals: SignalEvents

    /// How long a stop may take to hand over what is under way.
    private static let drain = GoDuration.seconds(3)
    /// How long a replay waits for the Local API to take its alerts.
    private static let replayDelivery = GoDuration.seconds(60)
    /// How long a start waits for the agent before it, which may still be stopping.
    private static let predecessor = GoDuration.seconds(5)

    private static let acquisitionFailed = "crowdsec init: while loading acquisition config"

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Until there is a log, what goes wrong is thrown; from then on it is said there, too.
    func run() throws -> Int32 {
        FreedMemory.givesBackLargeBlocks()
        let config = try SuiteConfig.load(path: options.configPath)
        let logging = try makeLogging(config)
        do { return try run(config, logging) } catch {
            logging.fatal("\(error)")
            return 1
        }
    }

    private func run(_ config: SuiteConfig, _ logging: SuiteLogging) throws -> Int32 {
        guard let agent = config.agent, agent.enabled else {
            throw Failure(
                description: options.leavesOutServer
                    ? "you must run at least the API Server or crowdsec" : "crowdsec agent is disabled")
        }
        let log = logging.logger("agent")
        for warning in config.warnings { log.warning("\(warning)") }
        let hub = HubFacts(config.paths, log)
        let content = loadContent(config, hub, log)
        if options.onlyTests { return try test(config, agent, content, log) }
        if let directory = config.common.workingDirectory { chdir(directory) }
        let metrics = Metrics(level: config.prometheus.level)
        metrics.gauge(.info, [("version", SuiteVersion.current)]).set(1)
        return try options.dsn == nil
            ? follow(config, agent, hub, content, metrics, logging, log) : replay(config, content, metrics, log)
    }

    private func makeLogging(_ config: SuiteConfig) throws(ConfigError) -> SuiteLogging {
        options.dsn == nil && !options.onlyTests
            ? try SuiteLogging(config.common, file: "crowdsec.log", level: options.level)
            : try SuiteLogging(
                options.isDry ? .standardOutput : .standardError, level: options.level ?? config.common.logLevel)
    }

    // MARK: content

    private func loadContent(_ config: SuiteConfig, _ hub: HubFacts, _ log: Logger) -> Content {
        var loader = ContentLoader(
            patternDirectory: config.paths.patternDirectory, dataDirectory: config.paths.dataDirectory)
        if let agent = config.agent {
            loader.contextValueBytes = agent.contextValueBytes
            if agent.contextIsExplicit || FileContents.exists(agent.contextPath) {
                loader.contextPath = agent.contextPath
            }
        }
        loader.hubItems = hub.versions
        let web = CurlWeb.guarded()
        loader.outside = OutsideWorld(web: web, reputations: Reputations(config.cti, web: web))
        loader.acceleratesRegex = getenv("CROWD_REGEX").map { String(cString: $0) } != "re2"
        loader.report = { log.error("\($0)") }
        // Dumps list the nodes whose filter was false, too.
        loader.usesIndex = options.dumpDirectory == nil
        if FileContents.exists(config.paths.simulationPath) {
            do {
                loader.simulation = try SimulationConfig.load(path: config.paths.simulationPath)
            } catch {
                log.error("Simulation settings are not read: \(error)")
            }
        }
        let content = loader.load(ContentFiles.installed(in: config.paths.configDirectory))
        for warning in content.warnings { log.warning("\(warning)") }
        for error in content.refused { log.error("Item left out: \(error)") }
        log.info(
            """
            Loaded \(content.parsers.nodeNames.filter { !$0.isChild }.count) parser nodes, \
            \(content.scenarios.count) scenarios, \(content.postoverflows.nodeNames.count) postoverflows. \
            regex=\(content.usesJIT ? "re2+jit" : "re2")
            """)
        return content
    }

    private func loadAcquisition(
        _ agent: AgentConfig, _ context: AcquisitionContext, _ log: Logger
    ) -> Acquisition.Loaded {
        let loaded = Acquisition.load(agent, context)
        for reason in loaded.unavailable { log.error("\(reason)") }
        if agent.acquisitionPath == nil, agent.acquisitionDirectory == nil {
            log.warning("no acquisition_path or acquisition_dir specified")
        } else if loaded.files == 0 {
            log.warning("no acquisition file found")
        }
        return loaded
    }

    private func test(_ config: SuiteConfig, _ agent: AgentConfig, _ content: Content, _ log: Logger) throws -> Int32 {
        let acquisition = loadAcquisition(agent, AcquisitionContext(metrics: Metrics(), log: log), log)
        for error in acquisition.errors {
            log.critical("\(Self.acquisitionFailed): \(error)")
        }
        _ = try credentials(config)
        if acquisition.sources.isEmpty, acquisition.errors.isEmpty {
            log.critical("\(Self.acquisitionFailed): no datasource enabled")
            return 1
        }
        guard acquisition.errors.isEmpty, content.refused.isEmpty else { return 1 }
        log.info("Configuration test done")
        return 0
    }

    // MARK: Local API

    private func credentials(_ config: SuiteConfig) throws -> LAPICredentials {
        guard let client = config.client, let path = client.credentialsPath else {
            throw Failure(description: "missing local API credentials for crowdsec agent, abort")
        }
        return try LAPICredentials.load(path: path)
    }

    private func client(_ config: SuiteConfig, _ content: Content) throws -> MachineClient {
        var settings = MachineClient.Settings(
            try credentials(config), userAgent: SuiteVersion.userAgent("crowdsec"), scenarios: content.scenarioNames)
        settings.insecureSkipVerify = config.client?.insecureSkipVerify ?? false
        return MachineClient(settings)
    }

    // MARK: following

    private func follow(
        _ config: SuiteConfig, _ agent: AgentConfig, _ hub: HubFacts, _ content: Content, _ metrics: Metrics,
        _ logging: SuiteLogging, _ log: Logger
    ) throws -> Int32 {
        let context = AcquisitionContext(metrics: metrics, log: log)
        let acquisition = loadAcquisition(agent, context, log)
        for error in acquisition.errors { log.error("\(Self.acquisitionFailed): \(error)") }
        guard !acquisition.sources.isEmpty else {
            throw Failure(description: "\(Self.acquisitionFailed): no datasource enabled")
        }
        let client = try client(config, content)
        let directory = config.paths.dataDirectory + "/crowd-agent"
        // Two agents on one checkpoint would count lines twice and lose others.
        let lock = try DirectoryLock(directory, mode: 0o700, patience: Self.predecessor)
        defer { withExtendedLifetime(lock) {} }
        let spool = try AlertSpool(.init(directory: directory), metrics: metrics, log: log)
        let listener = metricsListener(config, metrics, log)
        defer { withExtendedLifetime(listener) {} }
        let contact = LocalAPIContact(
            client, credentialsPath: config.client?.credentialsPath, hub.inventory(acquisition.sources),
            metrics: metrics, log: log)
        var tasks = [Task { await contact.run() }]
        var service = FollowService(acquisition.sources, context, log)
        let outlets = EngineLoop.Outlets(
            spool: spool, stateDirectory: directory, positions: context.positions, cursors: context.cursors)
        service.start(
            EngineLoop(
                content, queue: service.queue, parsers: agent.parserRoutines, outlets: outlets, metrics: metrics,
                log: log))
        // Not before what the last agent did has been gone through again: until then no answer can be noted.
        tasks.append(Task { await AlertSender(spool, to: client, log: log).run() })
        service.waitUntilBegun()
        forgetStart()
        log.info("Starting processing data")
        ServiceManager.ready()
        waitForEnd(&service, context, contact, log, logging)
        ServiceManager.stopping()
        log.info("Killing parser routines")
        service.stop()
        log.info("Bucket routine exiting")
        let isEmpty = Completion.wait { await spool.waitUntilEmpty(within: Self.drain) }
        if !isEmpty { log.warning("Alerts wait in the spool for the next start. count=\(spool.count)") }
        if config.client?.unregistersOnExit == true {
            Completion.wait {
                do { try await client.unregister() } catch {
                    log.warning("This machine was not unregistered: \(error)")
                }
            }
        }
        for task in tasks { task.cancel() }
        log.info("crowdsec shutdown")
        return 0
    }

    /// What only loading needed goes back to the system.
    private func forgetStart() {
        FreedMemory.giveBack()
        StartPages.giveBack()
    }

    /// Metrics are worth a message, not a start.
    private func metricsListener(_ config: SuiteConfig, _ metrics: Metrics, _ log: Logger) -> MetricsListener? {
        do {
            return try MetricsListener.start(config.prometheus, metrics: metrics, mayTakeNextPort: config.runsServer)
        } catch {
            log.error("Metrics are not served: \(error)")
            return nil
        }
    }

    /// Until SIGTERM, or until every source has ended by itself. SIGHUP reads everything again.
    private func waitForEnd(
        _ service: inout FollowService, _ context: AcquisitionContext, _ contact: LocalAPIContact, _ log: Logger,
        _ logging: SuiteLogging
    ) {
        while true {
            switch signals.next(within: 200) {
            case .terminate: return log.info("Crowdsec engine shutting down")
            case .reload:
                ServiceManager.reloading()
                log.info("SIGHUP received, reloading")
                logging.reopen()
                reload(&service, context, contact, log, logging)
                ServiceManager.ready()
            case nil:
                if service.hasEnded { return log.info("Acquisition is finished, shutting down") }
            }
        }
    }

    /// A configuration that cannot be used is refused as a whole: the old one keeps running.
    private func reload(
        _ service: inout FollowService, _ context: AcquisitionContext, _ contact: LocalAPIContact, _ log: Logger,
        _ logging: SuiteLogging
    ) {
        do {
            let config = try SuiteConfig.load(path: options.configPath)
            guard let agent = config.agent, agent.enabled else {
                throw Failure(description: "crowdsec agent is disabled")
            }
            let acquisition = loadAcquisition(agent, context, log)
            if let error = acquisition.errors.first { throw error }
            guard !acquisition.sources.isEmpty else { throw Failure(description: "no datasource enabled") }
            if options.level == nil { logging.level = config.common.logLevel }
            let hub = HubFacts(config.paths, log)
            service.replace(sources: acquisition.sources, content: loadContent(config, hub, log))
            contact.replace(hub.inventory(acquisition.sources))
            forgetStart()
            log.info("Configuration reloaded")
        } catch {
            log.error("Reload failed, the old configuration stays in force. error=\"\(error)\"")
        }
    }

    // MARK: replay

    private func replay(_ config: SuiteConfig, _ content: Content, _ metrics: Metrics, _ log: Logger) throws -> Int32 {
        let context = AcquisitionContext(metrics: metrics, log: log)
        let source = try Acquisition.replay(
            dsn: options.dsn ?? "", labels: [("type", options.type)] + options.labels, transform: options.transform,
            context)
        let recorder = options.dumpDirectory.map { _ in Recorder() }
        let client = options.isDry || recorder != nil ? nil : replayClient(config, content, log)
        let directory = config.paths.dataDirectory + "/crowd-agent-replay-\(getpid())"
        let spool = client == nil ? nil : try AlertSpool(.init(directory: directory), metrics: metrics, log: log)
        var sending: Task<Void, Never>?
        if let spool, let client {
            let sender = AlertSender(spool, to: client, log: log)
            sending = Task { await sender.run() }
        }
        var service = FollowService([source], context, log)
        let outlets = EngineLoop.Outlets(spool: spool)
        service.start(
            EngineLoop(
                content, queue: service.queue, parsers: config.agent?.parserRoutines ?? 1, outlets: outlets,
                recorder: recorder, metrics: metrics, log: log))
        forgetStart()
        while !service.hasEnded {
            if signals.next(within: 20) == .terminate { break }
        }
        let summary = service.stop()
        if let failure = service.failure { throw failure }
        log.info(
            """
            Replay is done. lines=\(summary.lines.read) parsed=\(summary.lines.parsed) \
            unparsed=\(summary.lines.unparsed) whitelisted=\(summary.lines.whitelisted) alerts=\(summary.alerts)
            """)
        if let recorder, let directory = options.dumpDirectory { try dump(recorder, to: directory) }
        return deliver(spool, directory, sending, log)
    }

    private func dump(_ recorder: Recorder, to directory: String) throws {
        guard !recorder.isFull else { throw Failure(description: "the log is too long for -dump-data") }
        try DumpFiles(recorder).write(to: directory)
    }

    /// A host without credentials may still look what a log holds.
    private func replayClient(_ config: SuiteConfig, _ content: Content, _ log: Logger) -> MachineClient? {
        do {
            return try client(config, content)
        } catch {
            log.warning("Alerts are printed only, none is sent: \(error)")
            return nil
        }
    }

    /// Waits for the Local API to take a replay's alerts; what it did not take stays on the disk, and that is said.
    private func deliver(_ spool: AlertSpool?, _ directory: String, _ sending: Task<Void, Never>?, _ log: Logger)
        -> Int32
    {
        guard let spool else { return 0 }
        let isEmpty = Completion.wait { await spool.waitUntilEmpty(within: Self.replayDelivery) }
        sending?.cancel()
        guard isEmpty else {
            log.error("Alerts were not taken by the Local API. count=\(spool.count) spool=\(directory)")
            return 1
        }
        unlink(directory + "/alerts.spool")
        rmdir(directory)
        return 0
    }
}
