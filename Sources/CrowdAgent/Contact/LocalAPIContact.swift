public import CrowdCore
public import CrowdLAPI
import Glibc
public import Logging
import Synchronization

/// Keeps an agent known to its Local API: login, heartbeat, usage metrics; a new login or registration when it is not
/// known any more.
///
///     start ──► login ──► usage metrics ──► heartbeat, once a minute ──► usage metrics, each half hour
///                 ▲                              │
///                 └── other credentials in the file, or a registration with the token ◄── refused
public final class LocalAPIContact: Sendable {
    /// Where the token for a new registration comes from (`api.server.auto_registration.token` of the Local API).
    public static let tokenVariable = "CROWD_REGISTRATION_TOKEN"
    private static let interval = Duration.seconds(60)

    private let client: MachineClient
    private let credentialsPath: String?
    private let token: String?
    private let log: Logger
    private let usage: Mutex<AgentUsage>
    private let inventory: Mutex<AgentUsage.Inventory>

    /// - Parameters:
    ///   - credentialsPath: read again when the Local API refuses what was in it.
    ///   - token: with which a lost registration is made anew; by default what the environment has.
    public init(
        _ client: MachineClient, credentialsPath: String?, _ inventory: AgentUsage.Inventory, metrics: Metrics,
        token: String? = LocalAPIContact.environmentToken, log: Logger
    ) {
        self.client = client
        self.credentialsPath = credentialsPath
        self.token = token
        self.log = log
        usage = Mutex(AgentUsage(metrics))
        self.inventory = Mutex(inventory)
    }

    public static var environmentToken: String? {
        getenv(tokenVariable).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// After a reload.
    public func replace(_ next: AgentUsage.Inventory) { inventory.withLock { $0 = next } }

    /// Until the task is cancelled.
    public func run() async {
        var trouble = ContactTrouble(log: log)
        await logIn(&trouble)
        var isUsageDue = Timestamp.now()
        while !Task.isCancelled {
            if Timestamp.now() >= isUsageDue, await tellUsage() { isUsageDue = .now() + AgentUsage.window }
            guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
            do {
                try await client.heartbeat()
                trouble.isOver()
            } catch {
                await met(error, &trouble)
            }
        }
    }

    /// Logs in now, so that wrong credentials are said at once; alerts wait in the spool meanwhile.
    private func logIn(_ trouble: inout ContactTrouble) async {
        do {
            try await client.authenticate()
            log.info("Logged in to the Local API. url=\(client.address)")
        } catch {
            log.error(
                "No login to the Local API yet, alerts are kept until there is. url=\(client.address) error=\"\(error)\""
            )
            if case .credentials = error { await met(error, &trouble) }
        }
    }

    /// Whether it arrived, or never will.
    private func tellUsage() async -> Bool {
        let inventory = inventory.withLock { $0 }
        let body = usage.withLock { $0.body(inventory) }
        do {
            try await client.postUsageMetrics(body)
            usage.withLock { $0.arrived() }
            return true
        } catch LAPIError.refused(status: 404, _) {
            log.warning("The Local API is older than usage metrics: none are sent")
            return true
        } catch {
            log.debug("Usage metrics were not sent: \(error)")
            return false
        }
    }

    // MARK: credentials

    private func met(_ error: LAPIError, _ trouble: inout ContactTrouble) async {
        if Task.isCancelled { return }
        trouble.met("Heartbeat failed: \(error)")
        guard case .credentials = error else { return }
        if await useOtherCredentials(&trouble) { return }
        await register(&trouble)
    }

    /// The file may have been written anew since it was read.
    private func useOtherCredentials(_ trouble: inout ContactTrouble) async -> Bool {
        guard let path = credentialsPath, let fresh = try? LAPICredentials.load(path: path) else { return false }
        guard await client.use(fresh) else { return false }
        do {
            try await client.authenticate()
            log.info("Logged in to the Local API with the credentials that are in \(path) now")
            trouble.isOver()
            return true
        } catch {
            trouble.met("The credentials that are in \(path) now are refused too: \(error)")
            return false
        }
    }

    private func register(_ trouble: inout ContactTrouble) async {
        guard let token else { return }
        do {
            let isValidated = try await client.register(token: token)
            guard isValidated else {
                return trouble.met(
                    "This machine is registered anew, but not validated: 'cscli machines validate' is needed")
            }
            try await client.authenticate()
            log.warning("This machine was not known to the Local API any more and has registered anew")
            trouble.isOver()
        } catch {
            trouble.met("This machine could not register anew: \(error)")
        }
    }
}

/// Says each text once until things are well again.
private struct ContactTrouble {
    let log: Logger
    private var said: Set<String> = []

    init(log: Logger) { self.log = log }

    mutating func met(_ text: String) {
        if said.count < 20, said.insert(text).inserted { log.warning("\(text)") }
    }

    mutating func isOver() {
        if !said.isEmpty { log.info("The Local API knows this machine") }
        said = []
    }
}
