import CrowdCore
import CrowdStore
import Synchronization

/// Searching and deleting alerts (protocol facts A.6).
extension LocalAPI {
    func findAlerts(_ call: Call) async throws -> Reply {
        let filter = try AlertFilter(call.query, now: call.now)
        let now = call.now
        let alerts = try await store.read { session throws(StoreError) in
            try AlertSearch.find(filter, now: now, in: session)
        }
        guard !alerts.isEmpty else { return .json(200, Array("null".utf8)) }
        return Self.list(alerts)
    }

    /// Each alert is encoded when it is sent: the first one does not wait for the others, which may be many.
    private static func list(_ alerts: [Alert]) -> Reply {
        var reply = Reply.json(200, [])
        reply.body = .generated {
            var index = 0
            return AnyIterator {
                guard index <= alerts.count else { return nil }
                var writer = JSONWriter()
                if index < alerts.count { alerts[index].write(to: &writer, nullForNoEvents: true) }
                defer { index += 1 }
                let lead = index == 0 ? "[" : index < alerts.count ? "," : "]"
                return Array(lead.utf8) + writer.bytes
            }
        }
        return reply
    }

    func findAlert(_ call: Call) async throws -> Reply {
        let filter = try Self.alertID(call)
        let now = call.now
        let alerts = try await store.read { session throws(StoreError) in
            try AlertSearch.find(filter, now: now, in: session)
        }
        guard let alert = alerts.first else { throw Failure.notFound }
        return .json { alert.write(to: &$0, nullForNoEvents: true) }
    }

    func deleteAlert(_ call: Call) async throws -> Reply {
        try requireTrust(call)
        let count = try await delete(try Self.alertID(call), now: call.now)
        guard count > 0 else { throw Failure.server("ent: alert not found") }
        return Self.deleted(count)
    }

    func deleteAlerts(_ call: Call) async throws -> Reply {
        try requireTrust(call)
        return Self.deleted(try await delete(try AlertFilter(call.query, now: call.now), now: call.now))
    }

    /// The decisions go with their alerts; bouncers hear of it, which they do not from the reference.
    private func delete(_ filter: AlertFilter, now: Timestamp) async throws(StoreError) -> Int {
        let decisions = decisions
        let (alerts, _) = try await store.write(
            { session throws(StoreError) in
                let alerts = try AlertDeletion.ids(filter, now: now, in: session)
                return (alerts.count, try AlertDeletion.delete(alerts, in: session))
            },
            afterCommit: { _, gone in decisions.end(gone, now: .now()) })
        alertsChanged.store(true, ordering: .relaxed)
        return alerts
    }

    private func requireTrust(_ call: Call) throws(Failure) {
        guard settings.trusts(call.client, isLocalSocket: call.isLocalSocket) else {
            throw .forbidden("access forbidden from this IP (\(call.client))")
        }
    }

    private static func alertID(_ call: Call) throws(Failure) -> AlertFilter {
        guard let id = call.parameters["alert_id"].flatMap({ Int64($0) }) else {
            throw .badRequest("alert_id must be valid integer")
        }
        var filter = AlertFilter()
        filter.id = id
        return filter
    }

    static func deleted(_ count: Int) -> Reply {
        .json { writer in
            writer.beginObject()
            writer.member("nbDeleted", String(count))
            writer.endObject()
        }
    }
}
