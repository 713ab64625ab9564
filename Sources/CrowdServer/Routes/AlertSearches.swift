import CrowdCore
import CrowdStore
import Synchronization

/// Searching and deleting alerts (protocol facts A.6).
extension LocalAPI {
    func findAlerts(_ call: Call) async throws -> Reply {
        let filter = try AlertFilter(call.query, now: call.now)
        let now = call.now
        let heads = try await store.read { session throws(StoreError) in
            try AlertSearch.heads(filter, now: now, in: session)
        }
        guard !heads.isEmpty else { return .json(200, Array("null".utf8)) }
        let list = AlertListing(heads, filter, now: now, store)
        // What fails here is an answer of its own; later it can only break off.
        let first = try await list.next() ?? []
        let pending = Mutex<[UInt8]?>(first)
        var reply = Reply.json(200, [])
        reply.body = .awaited {
            if let piece = pending.withLock({ $0.take() }) { return piece }
            return try await list.next()
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
        try requireFullScope(call, to: "delete alerts")
        try requireTrust(call)
        let count = try await delete(try Self.alertID(call), now: call.now)
        guard count > 0 else { throw Failure.server("ent: alert not found") }
        return Self.deleted(count)
    }

    func deleteAlerts(_ call: Call) async throws -> Reply {
        try requireFullScope(call, to: "delete alerts")
        try requireTrust(call)
        return Self.deleted(try await delete(try AlertFilter(call.query, now: call.now), now: call.now))
    }

    private func delete(_ filter: AlertFilter, now: Timestamp) async throws(StoreError) -> Int {
        try await delete(
            try await store.read { session throws(StoreError) in
                try AlertDeletion.ids(filter, now: now, in: session)
            })
    }

    private func requireTrust(_ call: Call) throws(Failure) {
        guard settings.trusts(call.client) else {
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

/// A list of alerts as text, read and encoded piece by piece: the first alert does not wait for the others, which may
/// have half a million decisions.
private final class AlertListing: Sendable {
    /// Decisions read at a time.
    private static let batch = 2_000

    private let heads: [Alert]
    private let filter: AlertFilter
    private let now: Timestamp
    private let store: any Store
    /// How many have been given.
    private let given = Mutex(0)

    init(_ heads: [Alert], _ filter: AlertFilter, now: Timestamp, _ store: any Store) {
        self.heads = heads
        self.filter = filter
        self.now = now
        self.store = store
    }

    /// The next piece; called by one task, one call after the other.
    func next() async throws -> [UInt8]? {
        let start = given.withLock { $0 }
        guard start < heads.count else { return nil }
        let (heads, filter, now) = (heads, filter, now)
        let alerts = try await store.read { session throws(StoreError) in
            try AlertSearch.complete(heads[start...], decisions: Self.batch, filter: filter, now: now, in: session)
        }
        given.withLock { $0 = start + alerts.count }
        var bytes: [UInt8] = []
        for (offset, alert) in alerts.enumerated() {
            var writer = JSONWriter()
            alert.write(to: &writer, nullForNoEvents: true)
            bytes.append(UInt8(ascii: start + offset == 0 ? "[" : ","))
            bytes += writer.bytes
        }
        if start + alerts.count == heads.count { bytes.append(UInt8(ascii: "]")) }
        return bytes
    }
}
