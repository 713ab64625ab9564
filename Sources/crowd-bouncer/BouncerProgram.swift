import CrowdCore
import CrowdFirewall
import Logging

/// One bouncer process: configuration in, service out, again at each reload.
struct BouncerProgram {
    let path: String
    let isVerbose: Bool

    /// `-t`: reads the configuration and tries the back end.
    func test() throws(ConfigError) {
        let config = try FirewallConfig.load(path: path)
        let log = try logging(config).logger("crowd-bouncer")
        for warning in config.warnings { log.warning("\(warning)") }
        let bouncer = try FirewallBouncer(config, metrics: Metrics(), log: log)
        let outcome = Completion<ConfigError?>()
        Task {
            do throws(ConfigError) {
                try await bouncer.test()
                outcome.set(nil)
            } catch {
                outcome.set(error)
            }
        }
        if let error = outcome.wait() { throw error }
        log.info("config is valid")
    }

    /// Runs until SIGTERM or SIGINT. SIGHUP reads the configuration again; a bad one is refused and the old one stays.
    /// The sets in the kernel stay in force throughout.
    func run(_ signals: SignalEvents) throws(ConfigError) {
        var config = try FirewallConfig.load(path: path)
        while true {
            let logging = try logging(config)
            let log = logging.logger("crowd-bouncer")
            log.info("crowd-bouncer \(SuiteVersion.current) starts", metadata: ["config": "\(path)"])
            for warning in config.warnings { log.warning("\(warning)") }
            let metrics = Metrics()
            metrics.gauge(.info, [("version", SuiteVersion.current)]).set(1)
            let bouncer = try FirewallBouncer(config, metrics: metrics, log: log)
            let listener = try MetricsListener.start(config.prometheus, metrics: metrics)
            let next = try serve(bouncer, signals, log)
            withExtendedLifetime(listener) {}
            guard let next else { return log.info("crowd-bouncer ends; sets are left as on_stop says") }
            config = next
        }
    }

    /// Runs the service until a signal; the configuration to go on with, or `nil` to end.
    private func serve(
        _ bouncer: FirewallBouncer, _ signals: SignalEvents, _ log: Logger
    ) throws(ConfigError) -> FirewallConfig? {
        let outcome = Completion<ConfigError?>()
        let task = Task {
            do throws(ConfigError) {
                try await bouncer.run()
                outcome.set(nil)
            } catch {
                outcome.set(error)
            }
        }
        var next: FirewallConfig?
        while true {
            switch signals.next(within: 500) {
            case nil:
                if let ended = outcome.value, let error = ended { throw error }
                continue
            case .terminate: ServiceManager.stopping()
            case .reload:
                ServiceManager.reloading()
                next = reloaded(log)
                if next == nil {
                    ServiceManager.ready()
                    continue
                }
            }
            task.cancel()
            if let error = outcome.wait() { throw error }
            return next
        }
    }

    private func reloaded(_ log: Logger) -> FirewallConfig? {
        do {
            return try FirewallConfig.load(path: path)
        } catch {
            log.error("Configuration is not reloaded: \(error)")
            return nil
        }
    }

    private func logging(_ config: FirewallConfig) throws(ConfigError) -> SuiteLogging {
        let destination: SuiteLogging.Destination =
            config.logging.directory.map {
                .file(path: $0 + "crowdsec-firewall-bouncer.log", policy: config.logging.policy)
            } ?? .standardError
        return try SuiteLogging(destination, level: isVerbose ? .debug : config.logging.level)
    }
}
