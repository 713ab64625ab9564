public import CrowdCore
import CrowdExpr
public import CrowdStore
public import Logging
import NIOCore
import Synchronization

/// The Local API: everything its routes share.
///
/// What a poll or an authentication needs is in memory; the store is asked for searches only, and told of changes.
public final class LocalAPI: Sendable {
    let store: any Store
    let decisions = DecisionMemory()
    let clients = ClientRegistry()
    let tokens: TokenIssuer
    let verifiedTokens = VerifiedTokens()
    let metrics: ServerMetrics
    /// For expressions of profiles.
    private let web: GuardedWeb
    let logger: Logger
    let accessLogger: Logger
    let failureLog = FailureLog()
    let health: Health
    let startedAt = Timestamp.now()
    /// Of alerts that are refused while others of their request are stored.
    let refusalLog = FailureLog()
    private let changeable: Mutex<Changeable>
    private let stopping = Atomic<Bool>(false)
    /// Bulk imports under way; alerts are not flushed while there are any.
    let imports = Atomic<Int>(0)
    /// Whatever is written in portions: others' writes wait for one of these at the most.
    let longWrites = Turnstile()
    /// Passwords take thirty milliseconds each, and anybody may send some: so many are hashed at once.
    let registrations = Turnstile()
    let logins = Turnstile(width: max(1, System.coreCount - 1))
    /// Of registrations and log-ins: those are anybody's.
    let strangersBodies = BodyBudget(most: 64 << 20)
    /// Of clients that are known.
    let bodies = BodyBudget(most: 512 << 20)
    /// A body came whose memory is worth giving back.
    let largeBodies = Atomic<Bool>(false)
    /// Alerts came or went since they were last counted.
    let alertsChanged = Atomic<Bool>(false)
    /// In fifths of a second.
    private let lastRefresh = Atomic<UInt64>(0)

    /// What a reload may change.
    struct Changeable: Sendable {
        var settings: ServerSettings
        var language: ProfileLanguage
        var cti: CTIConfig?
        var profiles: ProfileSet
        var allowlists = AllowlistMatcher()
        var allowlistsFingerprint = ""
    }

    /// - Parameters:
    ///   - secret: of the machine tokens; nil makes one that lives as long as this object.
    ///   - cti: what expressions of profiles may ask the central service.
    public init(
        config: LAPIServerConfig, store: any Store, secret: [UInt8]?, metrics: Metrics, logger: Logger,
        accessLogger: Logger? = nil, cti: CTIConfig? = nil
    ) throws(ConfigError) {
        self.store = store
        self.logger = logger
        health = Health(logger: logger)
        self.accessLogger = accessLogger ?? logger
        self.metrics = ServerMetrics(metrics)
        tokens = secret.map { TokenIssuer(secret: $0) } ?? TokenIssuer()
        web = WebExchange.guarded()
        let language = Self.language(decisions, web, cti)
        let profiles = try ProfileSet.load(config.profilesPath, language: language)
        if let path = config.capiWhitelistsPath { try CapiWhitelists.check(path) }
        changeable = Mutex(
            Changeable(settings: ServerSettings(config), language: language, cti: cti, profiles: profiles))
    }

    var settings: ServerSettings { changeable.withLock { $0.settings } }
    var profiles: ProfileSet { changeable.withLock { $0.profiles } }
    var allowlists: AllowlistMatcher { changeable.withLock { $0.allowlists } }

    /// Takes over a new configuration; on an error, also of `others` who take it over, the old one stays in force.
    public func reload(
        _ config: LAPIServerConfig, cti: CTIConfig? = nil, others: () throws(ConfigError) -> Void = {}
    ) throws(ConfigError) {
        // What the central service said is kept for as long as nothing about asking it changes.
        let kept = changeable.withLock { $0.cti == cti ? $0.language : nil }
        let language = kept ?? Self.language(decisions, web, cti)
        let profiles = try ProfileSet.load(config.profilesPath, language: language)
        if let path = config.capiWhitelistsPath { try CapiWhitelists.check(path) }
        try others()
        changeable.withLock { state in
            (state.settings, state.profiles) = (ServerSettings(config), profiles)
            (state.language, state.cti) = (language, cti)
        }
        health.isOver(.configuration)
    }

    private static func language(_ decisions: DecisionMemory, _ web: GuardedWeb, _ cti: CTIConfig?) -> ProfileLanguage {
        ProfileLanguage(
            ProfileResources(decisions: decisions, web: web, reputations: Reputations(cti, web: web)))
    }

    /// A changed configuration could not be taken over.
    public func reloadFailed() { health.met("a reload failed, the old configuration is in force", in: .configuration) }

    /// Loads what lives in memory and begins to watch for changes by other processes.
    public func start() async throws(StoreError) {
        try await reloadClients()
        // Before anything is read: what changes meanwhile is told.
        store.onForeignChange { [weak self] change, session throws(StoreError) in
            try self?.takeOver(change, from: session)
        }
        let now = Timestamp.now()
        let decisions = decisions
        try await store.read { session throws(StoreError) in
            // In portions: the rows of a large database take several times the room of what is kept of them.
            var records: [DecisionRecord] = []
            try DecisionQueries.each(at: now, ended: DecisionBook.Retention().ended, in: session) { record in
                records.append(record)
                guard records.count == 4096 else { return }
                decisions.add(records, now: now)
                records.removeAll(keepingCapacity: true)
            }
            decisions.add(records, now: now)
        }
        await countAlerts()
        metrics.registry.onScrape { [weak self] _ in self?.refreshGauges() }
    }

    /// Whether held requests should go home.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// Answers held requests at once, now and from now on.
    public func prepareToStop() {
        stopping.store(true, ordering: .relaxed)
        decisions.releaseWaiters()
    }

    /// Reads machines, bouncers and allowlists anew.
    func reloadClients() async throws(StoreError) {
        clients.load(try await store.read { session throws(StoreError) in try KnownClients(from: session) })
        _ = try await currentAllowlists()
    }

    /// The allowlists as the database has them now: `cscli` changes them there, and asks us a moment later.
    func currentAllowlists() async throws(StoreError) -> AllowlistMatcher {
        let (known, matcher) = changeable.withLock { ($0.allowlistsFingerprint, $0.allowlists) }
        let fresh = try await store.read { session throws(StoreError) -> (String, [AllowlistRecord])? in
            let fingerprint = try AllowlistQueries.fingerprint(in: session)
            return fingerprint == known ? nil : (fingerprint, try AllowlistQueries.all(in: session))
        }
        guard let (fingerprint, lists) = fresh else { return matcher }
        let fetched = AllowlistMatcher(lists)
        changeable.withLock { ($0.allowlists, $0.allowlistsFingerprint) = (fetched, fingerprint) }
        return fetched
    }

    // MARK: Changes by other processes

    /// Looks into the database for a client that memory does not know: it may have been added a moment ago. At most
    /// five times a second, whoever asks: strangers cannot make the disk busy.
    func refreshUnknownClients() async {
        let now = UInt64(clamping: Timestamp.now().nanoseconds / 200_000_000)
        guard lastRefresh.exchange(now, ordering: .relaxed) != now else { return }
        do { try await reloadClients() } catch {
            logger.error("Machines and bouncers could not be read. error=\(error)")
        }
    }

    /// Brings memory to what others have made of the database. On the writer's thread, where nobody else changes either.
    private func takeOver(_ change: ForeignChange, from session: any SQLSession) throws(StoreError) {
        let now = Timestamp.now()
        alertsChanged.store(true, ordering: .relaxed)
        switch change {
        case .decisions(let records, let gone):
            decisions.add(records, now: now)
            decisions.forget(gone, now: now)
        case .clients: try takeOverClients(from: session)
        case .repaired(let steps):
            logger.warning("Another program had given the tables an older form; that was undone.")
            for step in steps { logger.warning("\(step)") }
        case .anything:
            try takeOverClients(from: session)
            try compareDecisions(with: session, now: now)
        }
    }

    private func takeOverClients(from session: any SQLSession) throws(StoreError) {
        clients.load(try KnownClients(from: session))
        let fingerprint = try AllowlistQueries.fingerprint(in: session)
        guard changeable.withLock({ $0.allowlistsFingerprint }) != fingerprint else { return }
        let matcher = AllowlistMatcher(try AllowlistQueries.all(in: session))
        changeable.withLock { ($0.allowlists, $0.allowlistsFingerprint) = (matcher, fingerprint) }
    }

    private func compareDecisions(with session: any SQLSession, now: Timestamp) throws(StoreError) {
        let found = try DecisionQueries.activeFingerprint(at: now, in: session)
        guard found != decisions.fingerprint(now: now) else { return }
        var missing: [Int64] = []
        var present: Set<Int64> = []
        try DecisionQueries.eachActive(at: now, in: session) { id, _ in
            present.insert(id)
            if !decisions.isActive(id) { missing.append(id) }
        }
        var records: [DecisionRecord] = []
        for id in missing {
            if let record = try DecisionQueries.find(id: id, in: session) { records.append(record) }
        }
        decisions.add(records, now: now)
        decisions.end(decisions.activeIDs(notIn: present), now: now)
    }

    // MARK: Gauges

    func countAlerts() async {
        let counts = try? await store.read { session throws(StoreError) in
            try AlertSearch.countByScenario(in: session)
        }
        if let counts { metrics.setAlerts(counts) }
    }

    private func refreshGauges() {
        metrics.setActiveDecisions(decisions.activeKinds())
        metrics.setHeartbeats(clients.machines)
        metrics.setProblems(health.present.map(\.part))
    }
}
