public import CrowdCore

/// Reading alerts back as the wire knows them.
public enum AlertSearch {
    /// The alerts that match, newest first, complete with decisions, events and context.
    public static func find(_ filter: AlertFilter, now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [Alert]
    {
        var alerts = try heads(filter, now: now, in: session)
        for index in alerts.indices { try complete(&alerts[index], filter: filter, now: now, in: session) }
        return alerts
    }

    /// The same without decisions, events and context, for lists that are completed as they are sent.
    public static func heads(_ filter: AlertFilter, now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [Alert]
    {
        let condition = filter.condition(now: now)
        let order = filter.ascending ? "ASC" : "DESC"
        var sql = "SELECT \(columns) FROM alerts LEFT JOIN machines m ON m.id = alerts.machine_alerts"
        sql += condition.sql + " ORDER BY alerts.created_at \(order), alerts.id \(order)"
        if filter.limit > 0 { sql += " LIMIT \(filter.limit)" }
        return try session.all(sql, condition.values, alert)
    }

    /// The first of `heads` that together have about `decisions` decisions, complete; at least one.
    public static func complete(
        _ heads: ArraySlice<Alert>, decisions limit: Int, filter: AlertFilter, now: Timestamp,
        in session: any SQLSession
    ) throws(StoreError) -> [Alert] {
        var done: [Alert] = []
        var count = 0
        for var alert in heads where count < limit {
            try complete(&alert, filter: filter, now: now, in: session)
            // An alert without decisions is work as well.
            count += max(alert.decisions?.count ?? 0, alert.events.count, 10)
            done.append(alert)
        }
        return done
    }

    public static func count(_ filter: AlertFilter, now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Int
    {
        let condition = filter.condition(now: now)
        return Int(
            try session.first("SELECT count(*) FROM alerts" + condition.sql, condition.values, { $0.int(0) }) ?? 0)
    }

    private static let columns = """
        alerts.id, alerts.uuid, m.machine_id, alerts.created_at, alerts.scenario, scenario_hash, scenario_version, \
        message, events_count, started_at, stopped_at, capacity, leak_speed, simulated, remediation, kind, \
        source_scope, source_value, source_ip, source_range, source_as_number, source_as_name, source_country, \
        source_latitude, source_longitude
        """

    private static func alert(from row: any SQLRow) -> Alert {
        var alert = Alert()
        alert.id = row.int(0)
        alert.uuid = row.text(1)
        alert.machineID = row.isNull(2) ? "N/A" : row.text(2)
        alert.createdAt = row.time(3)?.rfc3339 ?? ""
        alert.scenario = row.text(4)
        alert.scenarioHash = row.text(5)
        alert.scenarioVersion = row.text(6)
        alert.message = row.text(7)
        alert.eventsCount = Int32(truncatingIfNeeded: row.int(8))
        alert.startAt = row.time(9)?.rfc3339 ?? ""
        alert.stopAt = row.time(10)?.rfc3339 ?? ""
        alert.capacity = Int32(truncatingIfNeeded: row.int(11))
        alert.leakspeed = row.text(12)
        alert.simulated = row.bool(13)
        alert.remediation = row.bool(14)
        alert.kind = row.text(15)
        alert.source = source(from: row, startingAt: 16)
        return alert
    }

    private static func source(from row: any SQLRow, startingAt column: Int) -> AlertSource {
        var source = AlertSource(
            scope: row.text(column), value: row.text(column + 1), ip: row.text(column + 2),
            range: row.text(column + 3))
        source.asNumber = row.text(column + 4)
        source.asName = row.text(column + 5)
        source.cn = row.text(column + 6)
        source.latitude = Float(row.double(column + 7))
        source.longitude = Float(row.double(column + 8))
        return source
    }

    private static func complete(_ alert: inout Alert, filter: AlertFilter, now: Timestamp, in session: any SQLSession)
        throws(StoreError)
    {
        let id = SQLValue.int(alert.id)
        alert.events = try session.all("SELECT time, serialized FROM events WHERE alert_events = ? ORDER BY id", [id]) {
            AlertEvent(timestamp: $0.time(0)?.goString ?? "", meta: meta($0.text(1)))
        }
        alert.meta = try session.all("SELECT key, value FROM meta WHERE alert_metas = ? ORDER BY id", [id]) {
            MetaItem(key: $0.text(0), value: $0.text(1))
        }
        guard filter.withDecisions else { return }
        let simulated = alert.simulated
        let decisions = try session.all(
            "SELECT \(DecisionRecord.columns) FROM decisions WHERE alert_decisions = ? ORDER BY id", [id]
        ) { row in
            var decision = DecisionRecord(row).wire(now: now)
            decision.simulated = simulated
            decision.uuid = ""
            return decision
        }
        alert.decisions = decisions.isEmpty ? nil : decisions
    }

    private static func meta(_ serialized: String) -> [MetaItem]? {
        var serialized = serialized
        return serialized.withUTF8 { try? MetaItem.list(from: $0) }
    }
}

extension DecisionRecord {
    /// As answers show it: the time left, in whole seconds, instead of its end.
    public func wire(now: Timestamp) -> Decision {
        var decision = Decision(
            origin: origin, type: type, scope: scope, value: value, scenario: scenario,
            duration: (until - now).roundedToSeconds.description)
        decision.id = id
        decision.uuid = uuid
        return decision
    }
}

extension AlertSearch {
    /// How many alerts there are of each scenario, without those of the central API.
    public static func countByScenario(in session: any SQLSession) throws(StoreError) -> [(
        scenario: String, count: Int
    )] {
        try session.all(
            """
            SELECT scenario, count(*) FROM alerts WHERE source_scope NOT LIKE 'crowdsecurity/community-blocklist%'
            GROUP BY scenario
            """
        ) { ($0.text(0), Int($0.int(1))) }
    }
}
