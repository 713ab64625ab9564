public import CrowdCore
internal import CrowdHTTP
internal import CrowdLAPI
public import Logging

/// The firewall bouncer: streams decisions and keeps the kernel's sets equal to them.
public struct FirewallBouncer: Sendable {
    /// How often somebody else's changes of the ruleset are looked for.
    private static let watchInterval = Duration.seconds(2)

    let config: FirewallConfig
    let log: Logger
    let enforcer: Enforcer
    let client: BouncerClient
    /// `nil` where the kernel has no connection tracking, or it is not wanted.
    let cutter: ConnectionCutter?
    let board = StatusBoard()
    let metrics: FirewallMetrics
    private let started = Timestamp.now()

    /// Opens the packet filter.
    ///
    /// - Throws: `ConfigError` when the kernel does not let us (root or CAP_NET_ADMIN is needed).
    public init(_ config: FirewallConfig, metrics: Metrics, log: Logger) throws(ConfigError) {
        self.config = config
        self.log = log
        enforcer = Enforcer(config, filter: try Self.filter(config, log), log: log)
        cutter = Self.cutter(config, log)
        client = BouncerClient(Self.settings(config))
        let layouts = Family.allCases.filter { config.tables($0).enabled }.map { TableLayout(config, $0) }
        self.metrics = FirewallMetrics(metrics, filter: try Self.filter(config, log), layouts: layouts)
    }

    /// Builds the tables (`-t`), and takes them away again if they were not there before.
    public func test() async throws(ConfigError) {
        do {
            try await enforcer.test()
        } catch {
            throw ConfigError("\(error)")
        }
    }

    /// Runs until the task is cancelled; then leaves the sets as `on_stop` says.
    ///
    /// - Throws: `ConfigError` when the tables cannot be made.
    public func run() async throws(ConfigError) {
        do {
            try await enforcer.start()
        } catch {
            throw ConfigError("\(error)")
        }
        ServiceManager.ready(status: "Waiting for the Local API; sets found in the kernel stay in force")
        let socket = openStatusSocket()
        defer { withExtendedLifetime(socket) {} }
        await withTaskGroup { group in
            group.addTask { await follow() }
            group.addTask { await watch() }
            group.addTask { await watchLocalAPI() }
            group.addTask { await followAllowlists() }
            group.addTask { await keepSnapshot() }
            group.addTask { await giveMemoryBack() }
            group.addTask { await showLife() }
            group.addTask { await report() }
            group.addTask { await cutter?.run(enforcer) { metrics.connectionsCut.add(UInt64($0)) } }
        }
        await saveSnapshot()
        await enforcer.stop()
    }

    // MARK: Decisions

    private func follow() async {
        var pace = StreamPace(updateFrequency: config.updateFrequency, resyncInterval: config.resyncInterval)
        var trouble: String?
        while !Task.isCancelled {
            var wait: GoDuration
            do {
                wait = try await ask(&pace)
                if trouble != nil { log.info("Local API answers again", metadata: ["url": "\(client.address)"]) }
                if trouble != nil { await tellHealth() }
                trouble = nil
            } catch {
                if Task.isCancelled { return }
                metrics.failures.add()
                board.failed("\(error)")
                let sentence = "Decisions are not updated, bans stay in force until they expire: \(error)"
                if sentence == trouble { log.debug("\(sentence)") } else { log.error("\(sentence)") }
                if trouble == nil { await tellHealth() }
                trouble = sentence
                wait = pace.failed(random: .random(in: 0..<1))
            }
            if wait > .zero { try? await Task.sleep(for: .nanoseconds(wait.nanoseconds)) }
        }
    }

    /// One request; how long to wait before the next.
    private func ask(_ pace: inout StreamPace) async throws(LAPIError) -> GoDuration {
        let start = MonotonicClock.now()
        if board.hasHeld() { pace.forget() }
        let isFirst = pace.wantsEverything(at: start)
        metrics.requests.add()
        let collector = DecisionCollector(
            types: config.decisionTypes, families: enforcer.families, origins: await enforcer.origins,
            isComplete: isFirst)
        let hold = isFirst || config.holdSeconds == 0 ? nil : config.holdSeconds
        let answer = try await client.stream(startup: isFirst, hold: hold) { collector.take(isDeleted: $0, $1) }
        board.answered()
        let (batch, origins) = collector.finish()
        let isEmpty = batch.new.isEmpty && batch.deleted.isEmpty
        await take(consume batch, origins, isFirst: isFirst, unreadable: answer.unreadable)
        let now = MonotonicClock.now()
        return pace.answered(
            isHeld: answer.holdSeconds != nil, isEmpty: isEmpty,
            wasEverything: isFirst, took: .milliseconds(now - start), at: now, random: .random(in: 0..<1))
    }

    private func take(
        _ batch: DecisionCollector.Batch, _ origins: OriginTable, isFirst: Bool, unreadable: Int
    ) async {
        if batch.unreadable + unreadable > 0 {
            log.warning(
                "Decisions that are neither address nor range are skipped",
                metadata: [
                    "count": "\(batch.unreadable + unreadable)", "examples": "\(batch.examples.joined(separator: " "))",
                ])
        }
        if isFirst {
            let result = await enforcer.replace(with: batch, origins)
            metrics.set(result)
            board.verified(result, isFirst: true)
            log.info(
                "Decisions are in force",
                metadata: [
                    "decisions": "\(batch.state.count)", "changed": "\(result.repaired)",
                    "refused": "\(result.refused)",
                ])
        } else if !batch.new.isEmpty || !batch.deleted.isEmpty {
            await enforcer.apply(batch, origins)
            log.debug("Decisions taken", metadata: ["new": "\(batch.new.count)", "deleted": "\(batch.deleted.count)"])
        }
        if isFirst || !batch.new.isEmpty { cutter?.ask(for: isFirst ? .everything : .bans(batch.new)) }
        let decided = await enforcer.decided()
        metrics.set(decided: decided, origins: origins)
        metrics.set(figures: await enforcer.figures)
        if isFirst { await tellHealth() }
    }

    // MARK: Proof

    private func watch() async {
        var lastSweep = MonotonicClock.now()
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.watchInterval)
            if Task.isCancelled { return }
            let isDue = MonotonicClock.now() - lastSweep >= config.verifyInterval.nanoseconds / 1_000_000
            guard await enforcer.isTouched() || isDue else { continue }
            if isDue { lastSweep = MonotonicClock.now() }
            let result = await enforcer.verify(isDue: isDue)
            metrics.set(result)
            board.verified(result)
            let decided = await enforcer.decided()
            metrics.set(decided: decided, origins: await enforcer.origins)
            await tellHealth()
        }
    }

    // MARK: Usage metrics

    private func report() async {
        var report = UsageReport(started: started)
        while (try? await Task.sleep(for: .nanoseconds(UsageReport.window.nanoseconds))) != nil {
            let body = report.body(
                decided: await enforcer.decided(), traffic: metrics.traffic(), status: await status(), now: .now())
            do {
                if try await !client.postUsageMetrics(body) { log.info("Local API is too old for usage metrics") }
            } catch {
                log.warning("Usage metrics were not sent", metadata: ["error": "\(error)"])
            }
        }
    }
}

extension FirewallBouncer {
    private static func filter(_ config: FirewallConfig, _ log: Logger) throws(ConfigError) -> sending any PacketFilter
    {
        do {
            return config.mode == .dryRun ? DryRunFilter(log: log) : try kernelFilter(config)
        } catch {
            throw ConfigError("\(error)")
        }
    }

    /// What reads and changes the kernel in a mode; for a dry run, what the plan is for.
    static func kernelFilter(_ config: FirewallConfig) throws(NetlinkError) -> sending any PacketFilter {
        switch config.mode {
        case .nftables, .dryRun: try NftablesFilter()
        case .iptables, .ipset: IpsetFilter(config)
        }
    }

    private static func cutter(_ config: FirewallConfig, _ log: Logger) -> ConnectionCutter? {
        guard config.cutsConnections, config.mode != .dryRun else { return nil }
        do {
            return ConnectionCutter(try KernelConnections(), log: log)
        } catch {
            log.warning("Connections of banned addresses are not cut", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private static func settings(_ config: FirewallConfig) -> BouncerClient.Settings {
        let userAgent = "crowdsec-firewall-bouncer/\(SuiteVersion.current)"
        var endpoint =
            config.apiURL.hasPrefix("/")
            ? HTTPEndpoint(socketPath: config.apiURL, userAgent: userAgent)
            : HTTPEndpoint(baseURL: config.apiURL, userAgent: userAgent)
        endpoint.caPath = config.caPath
        endpoint.certPath = config.certPath
        endpoint.keyPath = config.keyPath
        endpoint.insecureSkipVerify = config.insecureSkipVerify
        var settings = BouncerClient.Settings(endpoint: endpoint, apiKey: config.apiKey)
        settings.filters = [
            ("scopes", config.scopes), ("origins", config.origins),
            ("scenarios_containing", config.scenariosContaining),
            ("scenarios_not_containing", config.scenariosNotContaining),
        ]
        return settings
    }
}
