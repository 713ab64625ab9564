public import CrowdCore

/// What the periodic flush removes (protocol facts B.6). Each step is a transaction's worth, at most `batch` alerts or
/// `rows` decisions, so that alerts of the living wait behind a flush for milliseconds only.
public enum FlushQueries {
    public static let batch = 500
    public static let rows = 2_000

    /// Alerts older than `created` that have no active decision.
    public static func oldAlerts(before created: Timestamp, now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [Int64]
    {
        try session.all(
            """
            SELECT id FROM alerts WHERE created_at < ? AND \(hasNoActiveDecision) ORDER BY id LIMIT \(batch)
            """, [.time(created), .time(now)]
        ) { $0.int(0) }
    }

    /// Alerts beyond the newest `kept` ids that have no active decision.
    public static func surplusAlerts(keeping kept: Int64, now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [Int64]
    {
        let newest = try session.first("SELECT max(id) FROM alerts", [], { $0.int(0) }) ?? 0
        guard newest > kept else { return [] }
        return try session.all(
            "SELECT id FROM alerts WHERE id < ? AND \(hasNoActiveDecision) ORDER BY id LIMIT \(batch)",
            [.int(newest - kept), .time(now)]
        ) { $0.int(0) }
    }

    private static let hasNoActiveDecision =
        "NOT EXISTS (SELECT 1 FROM decisions d WHERE d.alert_decisions = alerts.id AND d.until > ?)"

    /// Some of the rows that nothing owns any more, expired allowlist items and old metrics; to be repeated until none
    /// is found.
    public static func leftovers(now: Timestamp, metricsBefore: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Int
    {
        let steps: [(table: String, condition: String, values: [SQLValue])] = [
            ("events", "alert_events IS NULL", []),
            ("decisions", "alert_decisions IS NULL AND until < ?", [.time(now)]),
            ("allow_list_items", "expires_at IS NOT NULL AND expires_at < ?", [.time(now)]),
            ("metrics", "received_at < ?", [.time(metricsBefore)]),
        ]
        var deleted = 0
        for step in steps where deleted < rows {
            deleted += try session.run(
                """
                DELETE FROM \(step.table) WHERE id IN
                  (SELECT id FROM \(step.table) WHERE \(step.condition) LIMIT \(rows - deleted))
                """, step.values)
        }
        return deleted
    }

    /// Bouncers of an auth type that pulled once, but not since `limit`.
    public static func deleteBouncers(authType: String, pulledBefore limit: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Int
    {
        try session.run(
            "DELETE FROM bouncers WHERE auth_type = ? AND last_pull IS NOT NULL AND last_pull < ?",
            [.text(authType), .time(limit)])
    }

    /// Machines of an auth type without alerts and without heartbeat since `limit`; local ones stay.
    public static func deleteMachines(authType: String, seenBefore limit: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Int
    {
        try session.run(
            """
            DELETE FROM machines WHERE auth_type = ? AND last_heartbeat IS NOT NULL AND last_heartbeat < ?
              AND ip_address NOT IN ('127.0.0.1', '::1')
              AND NOT EXISTS (SELECT 1 FROM alerts WHERE machine_alerts = machines.id)
            """, [.text(authType), .time(limit)])
    }
}
