import CrowdCore
import CrowdStore
import Logging
import Synchronization

/// The work nobody asks for: expiries, writing contact facts, flushing what is old (protocol facts B.6).
struct Housekeeper: Sendable {
    let api: LocalAPI
    /// The rules in force: a reload may change them.
    let flush: @Sendable () -> DatabaseConfig.Flush
    /// Called every five seconds.
    var renewCertificates: @Sendable () -> Void = {}
    var connections: ConnectionLimit?
    /// Between the end of one flush and the next.
    var flushInterval = Duration.seconds(60)

    /// Ends when the task is cancelled; what is unwritten then is written.
    ///
    /// Time passes for held requests whatever the database is doing, and clients' contacts are written beside a flush, which may take
    /// minutes.
    func run() async {
        async let time: Void = repeating(every: .milliseconds(200)) { _ in api.decisions.tick(now: .now()) }
        async let chores: Void = repeating(every: .seconds(1)) { second in await doChores(second) }
        async let flushing: Void = flushRegularly()
        _ = await (time, chores, flushing)
        await writeContacts(all: true)
    }

    private func repeating(every interval: Duration, _ work: (Int) async -> Void) async {
        var round = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            round += 1
            await work(round)
        }
    }

    private func doChores(_ second: Int) async {
        await writeContacts()
        checkConnections()
        if second % 5 == 0 { renewCertificates() }
        guard second % 10 == 0 else { return }
        // A pass over all alerts: seldom enough to cost nothing, often enough for a graph.
        if api.alertsChanged.exchange(false, ordering: .relaxed) { await api.countAlerts() }
        if api.largeBodies.exchange(false, ordering: .relaxed) { FreedMemory.giveBack() }
    }

    private func flushRegularly() async {
        if !api.store.isShared { try? await api.deleteUnfinished(at: .now()) }
        await repeating(every: flushInterval) { _ in
            if !Task.isCancelled, await api.store.isKeeper() { await flushAll() }
        }
    }

    /// One transaction for clients seen lately, however many polls they made. While the database is in trouble one is
    /// made in any case, to find out when that is over.
    func writeContacts(all: Bool = false) async {
        if !api.store.isReachable { api.health.met(StoreError(.unavailable, "")) }
        let isTroubled = api.health.isTroubled(.database)
        let (machines, bouncers) = api.clients.takeTouched(all: all)
        guard isTroubled || !machines.isEmpty || !bouncers.isEmpty else { return }
        do {
            try await api.store.write { session throws(StoreError) in
                let now = Timestamp.now()
                if isTroubled { try MachineQueries.rewriteOne(in: session) }
                // In one order, whoever writes: two replicas must not wait for each other's rows.
                for machine in machines.sorted(by: { $0.id < $1.id }) {
                    try MachineQueries.updateContact(machine, in: session)
                }
                for bouncer in bouncers.sorted(by: { $0.id < $1.id }) {
                    try BouncerQueries.updateContact(bouncer, at: now, in: session)
                }
            }
            api.health.isOver(.database)
        } catch {
            api.health.met(error)
            api.clients.touchAgain(machines, bouncers)
            if !isTroubled {
                api.logger.error("Contact times of machines and bouncers could not be written. error=\(error)")
            }
        }
    }

    func checkConnections() {
        guard let connections, connections.secondsSinceRefusal.map({ $0 < 10 }) ?? false else {
            return api.health.isOver(.connections)
        }
        api.health.met("connections beyond \(connections.most) are closed unread", in: .connections)
    }

    // MARK: Flush

    func flushAll() async {
        let flush = flush()
        do {
            guard api.imports.load(ordering: .relaxed) == 0 else { return try await deleteLeftovers(flush) }
            if let age = flush.maxAge {
                try await deleteAlerts { session, now throws(StoreError) in
                    try FlushQueries.oldAlerts(before: now - age, now: now, in: session)
                }
            }
            if let count = flush.maxItems {
                try await deleteAlerts { session, now throws(StoreError) in
                    try FlushQueries.surplusAlerts(keeping: Int64(count), now: now, in: session)
                }
            }
            try await deleteLeftovers(flush)
            try await deleteClients(flush)
            api.health.isOver(.flush)
        } catch {
            if error.kind != .closed { api.health.met(error.label, in: .flush) }
            api.logger.error("Flush failed and will be tried again in a minute. error=\(error)")
        }
    }

    /// In small transactions, so that alerts wait behind a flush for moments only.
    private func deleteAlerts(
        _ find: @escaping @Sendable (any SQLSession, Timestamp) throws(StoreError) -> [Int64]
    ) async throws(StoreError) {
        let decisions = api.decisions
        var total = 0
        while !Task.isCancelled {
            let begin = ContinuousClock.now
            let (found, deleted, _) = try await api.store.write(
                { session throws(StoreError) in
                    let alerts = try find(session, .now())
                    let some = try AlertDeletion.deleteSome(alerts, rows: FlushQueries.rows, in: session)
                    return (alerts.count, some.alerts, some.decisions)
                },
                afterCommit: { _, _, gone in decisions.forget(gone, now: .now()) })
            total += deleted
            if deleted == found && found < FlushQueries.batch { break }
            await rest(since: begin)
        }
        guard total > 0 else { return }
        api.alertsChanged.store(true, ordering: .relaxed)
        api.logger.info("Old alerts flushed. count=\(total)")
    }

    private func deleteLeftovers(_ flush: DatabaseConfig.Flush) async throws(StoreError) {
        try await api.deleteUnfinished(at: .now())
        let limit = Timestamp.now() - flush.metricsMaxAge
        var deleted = 1
        while deleted > 0 && !Task.isCancelled {
            let begin = ContinuousClock.now
            deleted = try await api.store.write { session throws(StoreError) in
                try FlushQueries.leftovers(now: .now(), metricsBefore: limit, in: session)
            }
            if deleted > 0 { await rest(since: begin) }
        }
    }

    /// As long as the last step took: what is flushed is in nobody's way, and the disk and a processor are others' too.
    private func rest(since begin: ContinuousClock.Instant) async {
        try? await Task.sleep(for: ContinuousClock.now - begin)
    }

    private func deleteClients(_ flush: DatabaseConfig.Flush) async throws(StoreError) {
        let now = Timestamp.now()
        let bouncers = [("tls", flush.bouncers.certificate), ("api-key", flush.bouncers.apiKey)]
        let machines = [("tls", flush.agents.certificate), ("password", flush.agents.loginPassword)]
        guard (bouncers + machines).contains(where: { $0.1 != nil }) else { return }
        let deleted = try await api.store.write { session throws(StoreError) in
            var deleted = 0
            for case (let type, let age?) in bouncers {
                deleted += try FlushQueries.deleteBouncers(authType: type, pulledBefore: now - age, in: session)
            }
            for case (let type, let age?) in machines {
                deleted += try FlushQueries.deleteMachines(authType: type, seenBefore: now - age, in: session)
            }
            return deleted
        }
        guard deleted > 0 else { return }
        api.logger.info("Clients not seen for long deleted. count=\(deleted)")
        try await api.reloadClients()
    }
}
