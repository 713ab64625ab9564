import CrowdCore
import CrowdStore
import NIOCore

/// Decisions for live bouncers, and their deletion (protocol facts A.7, A.9).
extension LocalAPI {
    func findDecisions(_ call: Call) async throws -> Reply {
        guard case .bouncer(let bouncer) = call.caller else { throw Failure.forbidden() }
        let search = try DecisionSearch(call.query)
        if call.isHead { return .json(200, ByteBuffer()) }
        let (now, decisions) = (call.now, decisions)
        let find: @Sendable () -> (body: ByteBuffer, isEmpty: Bool) = {
            let (slots, view) = decisions.search(search, now: now)
            return (view.encodeArray(slots), slots.isEmpty)
        }
        let found = search.isLookUp ? find() : try await BackgroundWork.run(find)
        clients.touchBouncer(bouncer.id) { row in
            let isFresh = row.lastPull.map { now - $0 < .seconds(60) } ?? false
            if !isFresh { row.lastPull = now }
        }
        metrics.countDecisions(bouncer, isEmpty: found.isEmpty)
        return .json(200, found.body)
    }

    func deleteDecision(_ call: Call) async throws -> Reply {
        try requireFullScope(call, to: "delete decisions")
        guard let id = call.parameters["decision_id"].flatMap({ Int64($0) }) else {
            throw Failure.badRequest("decision_id must be valid integer")
        }
        let ended = try await end([id])
        guard ended == 1 else {
            throw Failure.server("decision with id '\(id)' doesn't exist: unable to delete")
        }
        return Self.deleted(ended)
    }

    func deleteDecisions(_ call: Call) async throws -> Reply {
        try requireFullScope(call, to: "delete decisions")
        let deletion = try DecisionDeletion(call.query)
        await store.catchUp()
        let (now, decisions) = (call.now, decisions)
        let ids = try await BackgroundWork.run { decisions.view(now: now).ids(matching: deletion) }
        return Self.deleted(try await end(ids))
    }

    /// Sets the end of decisions to now, so that bouncers hear of it; many in portions.
    private func end(_ ids: [Int64]) async throws(StoreError) -> Int {
        let decisions = decisions
        var count = 0
        // In one order, whoever writes: two replicas must not wait for each other's rows.
        var left = ids.sorted()[...]
        while !left.isEmpty {
            let some = left.prefix(Self.endedAtOnce)
            let (known, _) = try await writePortion(
                isFirst: left.count == ids.count,
                { session throws(StoreError) in
                    let now = Timestamp.now()
                    return (try DecisionQueries.expire(some, at: now, in: session), now)
                },
                afterCommit: { known, now in decisions.end(known, now: now) })
            left = left.dropFirst(some.count)
            count += known.count
        }
        return count
    }

    private static let endedAtOnce = 5_000
}

extension DecisionView {
    fileprivate func ids(matching deletion: DecisionDeletion) -> [Int64] {
        let found = find(DecisionSearch(filter: deletion.filter))
        return found.compactMap { slot in
            let entry = entries[slot]
            if let scenario = deletion.scenario, kinds[Int(entry.kind)].kind.scenario != scenario { return nil }
            if !deletion.uuids.isEmpty && !deletion.uuids.contains(UUIDText.text(entry.uuid)) { return nil }
            return entry.id
        }
    }
}
