public import CrowdCore

/// Loading, expiring and removing decisions.
public enum DecisionQueries {
    /// Calls `body` for the decisions that ended last, `ended` of them at most, and then for every active one by id.
    public static func each(
        at now: Timestamp, ended: Int, in session: any SQLSession, _ body: (DecisionRecord) -> Void
    ) throws(StoreError) {
        try session.each(
            """
            SELECT \(DecisionRecord.columns) FROM decisions
            WHERE id IN (SELECT id FROM decisions WHERE until <= ? ORDER BY until DESC LIMIT \(ended)) ORDER BY until
            """, [.time(now)]
        ) { row in body(DecisionRecord(row)) }
        try session.each(
            "SELECT \(DecisionRecord.columns) FROM decisions WHERE until > ? ORDER BY id", [.time(now)]
        ) { row in body(DecisionRecord(row)) }
    }

    public static func find(id: Int64, in session: any SQLSession) throws(StoreError) -> DecisionRecord? {
        try session.first(
            "SELECT \(DecisionRecord.columns) FROM decisions WHERE id = ?", [.int(id)], DecisionRecord.init)
    }

    /// Ends decisions now, leaving the rows; returns the ids that exist (protocol facts A.9).
    public static func expire(_ ids: [Int64], at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [Int64]
    {
        var done: [Int64] = []
        // In one order, whoever writes: two replicas must not wait for each other's rows.
        for id in ids.sorted() {
            let changed = try session.run(
                "UPDATE decisions SET until = ?, updated_at = ? WHERE id = ?", [.time(now), .time(now), .int(id)])
            if changed > 0 { done.append(id) }
        }
        return done
    }

    /// Ids of the decisions that belong to these alerts.
    public static func ids(ofAlerts alerts: [Int64], in session: any SQLSession) throws(StoreError) -> [Int64] {
        var ids: [Int64] = []
        for alert in alerts {
            ids += try session.all("SELECT id FROM decisions WHERE alert_decisions = ?", [.int(alert)]) { $0.int(0) }
        }
        return ids
    }

    /// Number and sum of the ids of all active decisions, from the index alone.
    public static func activeFingerprint(at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> DecisionFingerprint
    {
        try session.first("SELECT count(*), coalesce(sum(id), 0) FROM decisions WHERE until > ?", [.time(now)]) {
            DecisionFingerprint(count: Int($0.int(0)), idSum: $0.int(1))
        } ?? DecisionFingerprint(count: 0, idSum: 0)
    }

    /// Ids and ends of all active decisions, for comparing memory with a database that others changed too.
    public static func eachActive(at now: Timestamp, in session: any SQLSession, _ body: (Int64, Timestamp) -> Void)
        throws(StoreError)
    {
        try session.each("SELECT id, until FROM decisions WHERE until > ?", [.time(now)]) { row in
            if let until = row.time(1) { body(row.int(0), until) }
        }
    }
}

/// Tells cheaply whether two sets of active decisions differ.
public struct DecisionFingerprint: Sendable, Equatable {
    public var count: Int
    public var idSum: Int64

    public init(count: Int, idSum: Int64) {
        self.count = count
        self.idSum = idSum
    }
}

/// Deleting alerts; their decisions, events and context go with them.
public enum AlertDeletion {
    /// Ids of the alerts that match; the filter's limit is ignored, as the reference does.
    public static func ids(_ filter: AlertFilter, now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [Int64]
    {
        let condition = filter.condition(now: now)
        return try session.all("SELECT alerts.id FROM alerts" + condition.sql, condition.values) { $0.int(0) }
    }

    /// Returns the decisions that vanished with the alerts.
    public static func delete(_ alerts: [Int64], in session: any SQLSession) throws(StoreError) -> [Int64] {
        let decisions = try DecisionQueries.ids(ofAlerts: alerts, in: session)
        for alert in alerts { try session.run("DELETE FROM alerts WHERE id = ?", [.int(alert)]) }
        return decisions
    }

    /// Deletes alerts from the first on until about `rows` decisions went with them; of an alert with more, only some.
    public static func deleteSome(_ alerts: [Int64], rows: Int, in session: any SQLSession)
        throws(StoreError) -> (alerts: Int, decisions: [Int64])
    {
        var gone: [Int64] = []
        for (done, alert) in alerts.enumerated() {
            guard gone.count < rows else { return (done, gone) }
            let room = rows - gone.count
            let some = try session.all(
                "SELECT id FROM decisions WHERE alert_decisions = ? LIMIT \(room + 1)", [.int(alert)]
            ) { $0.int(0) }
            if some.count > room {
                for id in some { try session.run("DELETE FROM decisions WHERE id = ?", [.int(id)]) }
                return (done, gone + some)
            }
            try session.run("DELETE FROM alerts WHERE id = ?", [.int(alert)])
            gone += some
        }
        return (alerts.count, gone)
    }
}
