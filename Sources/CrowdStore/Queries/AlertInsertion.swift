public import CrowdCore

/// Storing alerts (protocol facts B.1).
public enum AlertInsertion {
    /// Longest text of `events.serialized`, in bytes.
    static let maxSerializedBytes = 8191
    static let maxMetaKeyBytes = 255
    static let maxMetaValueBytes = 4095

    /// Stores one alert with its events, context and decisions. Sent again with the same UUID it is found, not doubled.
    public static func insert(_ new: NewAlert, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> StoredAlert
    {
        if let known = try known(new, in: session) { return known }
        let id = try insertAlert(new, .time(now), in: session)
        return StoredAlert(
            id: id, isNew: true, decisions: try insert(AlertRows(new), of: id, at: now, in: session))
    }

    /// The same alert from the same machine, stored before.
    public static func known(_ new: NewAlert, in session: any SQLSession) throws(StoreError) -> StoredAlert? {
        try session.first(
            "SELECT id FROM alerts WHERE uuid = ? AND machine_alerts IS NOT DISTINCT FROM ?",
            [.text(new.alert.uuid), .optional(new.machineRow)],
            { StoredAlert(id: $0.int(0), isNew: false, decisions: []) })
    }

    /// Stores rows of an alert that is there.
    public static func insert(_ rows: AlertRows, of id: Int64, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [DecisionRecord]
    {
        let stamp = SQLValue.time(now)
        try Self.events.insert(
            rows.events.lazy.map { event in
                let time = Timestamp(rfc3339: event.timestamp).map { SQLValue.time($0) } ?? stamp
                return [stamp, stamp, time, .text(serialized(event.meta ?? [])), .int(id)]
            }, in: session)
        try Self.meta.insert(
            rows.meta.lazy.map { item in
                [
                    stamp, stamp, .text(item.key.cut(atBytes: maxMetaKeyBytes)),
                    .text(item.value.cut(atBytes: maxMetaValueBytes)), .int(id),
                ]
            }, in: session)
        return try insertDecisions(of: rows, alert: id, at: now, in: session)
    }

    private static let events = RowInsertion(
        table: "events", columns: ["created_at", "updated_at", "time", "serialized", "alert_events"])
    private static let meta = RowInsertion(
        table: "meta", columns: ["created_at", "updated_at", "key", "value", "alert_metas"])
    private static let decisions = RowInsertion(
        table: "decisions",
        columns: [
            "created_at", "updated_at", "until", "scenario", "type", "start_ip", "end_ip", "start_suffix", "end_suffix",
            "ip_size", "scope", "value", "origin", "simulated", "uuid", "alert_decisions",
        ])

    private static func insertAlert(_ new: NewAlert, _ stamp: SQLValue, in session: any SQLSession)
        throws(StoreError) -> Int64
    {
        let (alert, source) = (new.alert, new.alert.source)
        return try session.insert(
            """
            INSERT INTO alerts (created_at, updated_at, scenario, bucket_id, message, events_count, started_at,
              stopped_at, source_ip, source_range, source_as_number, source_as_name, source_country, source_latitude,
              source_longitude, source_scope, source_value, capacity, leak_speed, scenario_version, scenario_hash,
              simulated, uuid, remediation, kind, machine_alerts)
            VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id
            """,
            [
                stamp, stamp, .text(alert.scenario), .text(""), .text(alert.message),
                .int32(alert.eventsCount), .time(new.startedAt), .time(new.stoppedAt), .text(source.ip),
                .text(source.range), .text(source.asNumber), .text(source.asName), .text(source.cn),
                .double(Double(source.latitude)), .double(Double(source.longitude)), .text(source.scope),
                .text(source.value), .int32(alert.capacity), .text(alert.leakspeed), .text(alert.scenarioVersion),
                .text(alert.scenarioHash), .bool(alert.simulated), .text(alert.uuid), .bool(alert.remediation),
                .text(alert.kind), .optional(new.machineRow),
            ])
    }

    private static func insertDecisions(
        of rows: AlertRows, alert: Int64, at now: Timestamp, in session: any SQLSession
    ) throws(StoreError) -> [DecisionRecord] {
        guard !rows.decisions.isEmpty else { return [] }
        let (stamp, simulated) = (SQLValue.time(now), rows.simulated)
        let ids = try decisions.insertGivingIDs(
            rows.decisions.lazy.map { new in
                let decision = new.decision
                return [stamp, stamp, .time(new.until), .text(decision.scenario), .text(decision.type)]
                    + NumericRange(new.range).values
                    + [
                        .text(decision.scope), .text(decision.value), .text(decision.origin), .bool(simulated),
                        .text(decision.uuid), .int(alert),
                    ]
            }, in: session)
        return zip(ids, rows.decisions).map { id, new in
            let decision = new.decision
            return DecisionRecord(
                id: id, createdAt: now, until: new.until, scenario: decision.scenario, type: decision.type,
                scope: decision.scope, value: decision.value, origin: decision.origin, simulated: simulated,
                uuid: decision.uuid, alertID: alert)
        }
    }

    /// The event's meta as JSON within the column's limit: values are cut ever shorter, from 2048 bytes down to 1.
    static func serialized(_ meta: [MetaItem]) -> String {
        var keep = maxSerializedBytes
        while true {
            var writer = JSONWriter(capacity: 512)
            writer.beginArray()
            for item in meta {
                let cut = item.value.utf8.count > 2 * keep
                let value = cut ? item.value.cut(atBytes: keep) + "<stripped>" : item.value
                MetaItem(key: item.key, value: value).write(to: &writer)
            }
            writer.endArray()
            if writer.bytes.count <= maxSerializedBytes { return String(decoding: writer.bytes, as: UTF8.self) }
            guard keep > 1 else { return "" }
            keep = keep == maxSerializedBytes ? 2048 : keep / 2
        }
    }
}

extension String {
    /// At most `limit` bytes, never half a character.
    func cut(atBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
