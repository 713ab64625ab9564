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
    public static func expire(_ ids: some Collection<Int64>, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [Int64]
    {
        var done: [Int64] = []
        for id in ids {
            let changed = try session.run(
                "UPDATE decisions SET until = ?, updated_at = ? WHERE id = ?", [.time(now), .time(now), .int(id)])
            if changed > 0 { done.append(id) }
        }
        return done
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

    /// Deletes alerts from the first on until about `rows` of their rows went with them; of an alert with more, only some.
    ///
    /// - Returns: how many alerts are gone, and the decisions that are.
    public static func deleteSome(_ alerts: some Collection<Int64>, rows: Int, in session: any SQLSession)
        throws(StoreError) -> (alerts: Int, decisions: [Int64])
    {
        var gone: [Int64] = []
        var (done, left) = (0, rows)
        for alert in alerts {
            guard left > 0 else { return (done, gone) }
            let owned = try tables.map { table, owner throws(StoreError) in
                try session.all("SELECT id FROM \(table) WHERE \(owner) = ? LIMIT \(left + 1)", [.int(alert)]) {
                    $0.int(0)
                }
            }
            let count = owned.reduce(0) { $0 + $1.count }
            if count <= left {
                try session.run("DELETE FROM alerts WHERE id = ?", [.int(alert)])
                gone += owned[0]
                (done, left) = (done + 1, left - count)
                continue
            }
            for (index, ids) in owned.enumerated() {
                let some = ids.prefix(left)
                for id in some { try session.run("DELETE FROM \(tables[index].name) WHERE id = ?", [.int(id)]) }
                if index == 0 { gone += some }
                left -= some.count
            }
        }
        return (done, gone)
    }

    /// What goes with an alert.
    private static let tables = [
        (name: "decisions", owner: "alert_decisions"), (name: "events", owner: "alert_events"),
        (name: "meta", owner: "alert_metas"),
    ]
}
