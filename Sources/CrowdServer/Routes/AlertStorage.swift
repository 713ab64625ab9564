import CrowdCore
import CrowdStore
import Logging
import Synchronization

/// Alerts on their way to the disk and off it, a portion at a time: a request's fifty megabytes are half a minute of work, which
/// nobody else's alert is to wait for.
extension LocalAPI {
    /// What became of each, in order. When the database cannot take one now, nothing of the others is left behind.
    func store(_ alerts: [NewAlert]) async throws(StoreError) -> [Result<StoredAlert, StoreError>] {
        let portions = NewAlert.portions(of: alerts)
        if portions.count == 1, !portions[0].contains(where: \.isLong) { return try await storeTogether(portions[0]) }
        var outcomes: [Result<StoredAlert, StoreError>] = []
        do {
            for portion in portions {
                if let alert = portion.first, alert.isLong {
                    outcomes.append(try await storeInParts(alert))
                } else {
                    outcomes += try await longWrites.pass { () throws(StoreError) in try await storeTogether(portion) }
                }
            }
        } catch {
            await withdraw(outcomes.compactMap { try? $0.get() }.filter(\.isNew).map(\.id))
            throw error
        }
        return outcomes
    }

    private func storeTogether(_ alerts: ArraySlice<NewAlert>) async throws(StoreError)
        -> [Result<StoredAlert, StoreError>]
    {
        let decisions = decisions
        // A request of one needs no savepoint of its own; what the database does not take is tried again with one.
        if alerts.count == 1, let alert = alerts.first {
            let outcome = await store.outcome(
                of: { session throws(StoreError) in try AlertInsertion.insert(alert, at: .now(), in: session) },
                afterCommit: { stored in decisions.add(stored.decisions, now: .now()) })
            switch outcome {
            case .success: return [outcome]
            case .failure(let error): guard error.isAboutTheRow else { throw error }
            }
        }
        return try await store.write(
            { session throws(StoreError) in
                // The time of the commit, not of the request: no decision may look older than a poll that missed it.
                try AlertInsertion.insert(alerts, at: .now(), in: session)
            },
            afterCommit: { stored in
                decisions.add(stored.flatMap { (try? $0.get())?.decisions ?? [] }, now: .now())
            })
    }

    private func storeInParts(_ new: NewAlert) async throws(StoreError) -> Result<StoredAlert, StoreError> {
        let known = try await store.read { session throws(StoreError) in try AlertInsertion.known(new, in: session) }
        if let known { return .success(known) }
        let outcome = try await storeTogether([new.beginning])[0]
        guard case .success(let begun) = outcome else { return outcome }
        do {
            try await add(new.parts, to: begun.id)
            let finished = try await store.write { session throws(StoreError) in
                try UnfinishedAlerts.finish(begun.id, as: new, in: session)
            }
            if finished.id != begun.id { await withdraw([begun.id]) }
            return .success(finished)
        } catch {
            await withdraw([begun.id])
            guard error.isAboutTheRow else { throw error }
            return .failure(error)
        }
    }

    /// Each decision is in force as soon as it is durable.
    private func add(_ parts: [AlertRows], to id: Int64) async throws(StoreError) {
        let decisions = decisions
        for part in parts {
            _ = try await writePortion(
                isFirst: false,
                { session throws(StoreError) in try AlertInsertion.insert(part, of: id, at: .now(), in: session) },
                afterCommit: { decisions.add($0, now: .now()) })
        }
    }

    /// Takes back what was stored of a request that failed. What cannot be taken back now, the flush finds.
    private func withdraw(_ alerts: [Int64]) async {
        do { _ = try await delete(alerts) } catch {
            logger.error("Alerts of a request that failed could not be taken back. error=\(error)")
        }
    }

    /// One of the writes that a request may need many of. The first goes at once: most requests have no other.
    func writePortion<R: Sendable>(
        isFirst: Bool, _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        afterCommit: @escaping @Sendable (R) -> Void
    ) async throws(StoreError) -> R {
        let store = store
        if isFirst { return try await store.write(body, afterCommit: afterCommit) }
        return try await longWrites.pass { () throws(StoreError) in
            try await store.write(body, afterCommit: afterCommit)
        }
    }

    // MARK: Deleting

    /// Their decisions go with them; bouncers hear of it, which they do not from the reference.
    ///
    /// - Returns: how many there were.
    func delete(_ alerts: [Int64]) async throws(StoreError) -> Int {
        let decisions = decisions
        var left = alerts[...]
        while !left.isEmpty {
            let some = left.prefix(FlushQueries.batch)
            let deleted = try await writePortion(
                isFirst: left.count == alerts.count,
                { session throws(StoreError) in
                    try AlertDeletion.deleteSome(some, rows: 2 * FlushQueries.rows, in: session)
                },
                afterCommit: { decisions.end($0.decisions, now: .now()) })
            left = left.dropFirst(deleted.alerts)
        }
        if !alerts.isEmpty { alertsChanged.store(true, ordering: .relaxed) }
        return alerts.count
    }

    /// Removes what a crash, or a database that was lost, left of alerts in parts: `UnfinishedAlerts`.
    /// No request lasts an hour; and those of the server's predecessor ended with it, unless it has others beside it.
    func deleteUnfinished(at now: Timestamp) async throws(StoreError) {
        let anHourAgo = now - .seconds(3600)
        let limit = store.isShared ? anHourAgo : max(anHourAgo, startedAt)
        let found = try await store.read { session throws(StoreError) in
            try UnfinishedAlerts.all(createdBefore: limit, in: session)
        }
        guard !found.isEmpty else { return }
        let count = try await delete(found)
        logger.warning("Alerts that had been stored in part only were deleted. count=\(count)")
    }
}
