import CrowdCore

/// Our own table of what changed, so that replicas hear of each other's commits and of those of any other program.
///
/// (1) Triggers write it: the id of each decision that came, went or changed, or a row without one for machines, bouncers
///     and allowlists; with the transaction's id and the session that wrote it.
/// (2) A reader keeps its last snapshot. What it has not seen yet are the rows which that one did not see and the present
///     one does: no gap and no order of ids is assumed.
/// (3) Rows live for `minutes`. Who has not read for half of that compares everything instead.
/// (4) The keeper trims it. Without one of ours at work the trigger does, now and then.
enum ChangeTable {
    static let name = "crowd_changes"
    static let minutes = 20

    private static let definition = [
        """
        CREATE TABLE crowd_changes (
          seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
          noted timestamp with time zone NOT NULL DEFAULT clock_timestamp(), session text, decision bigint)
        """,
        "CREATE INDEX crowd_changes_xid ON crowd_changes (xid)",
        function(
            "crowd_note_decisions",
            """
              INSERT INTO crowd_changes (session, decision)
                SELECT nullif(current_setting('crowd.session', true), ''), id FROM changed;
              IF FOUND THEN PERFORM pg_notify('crowd_changes', ''); END IF;
              IF coalesce(current_setting('crowd.session', true), '') = '' AND random() < 0.002 THEN
                DELETE FROM crowd_changes WHERE noted < now() - interval '\(minutes) minutes';
              END IF;
            """),
        function(
            "crowd_note_clients",
            """
              INSERT INTO crowd_changes (session) VALUES (nullif(current_setting('crowd.session', true), ''));
              PERFORM pg_notify('crowd_changes', '');
            """),
        decisionTrigger("INSERT", "NEW"), decisionTrigger("UPDATE", "NEW"), decisionTrigger("DELETE", "OLD"),
        clientTrigger("machines", "INSERT OR DELETE OR UPDATE OF machine_id, password, is_validated, auth_type"),
        clientTrigger("bouncers", "INSERT OR DELETE OR UPDATE OF name, api_key, revoked, auth_type"),
        clientTrigger("allow_lists", "INSERT OR DELETE OR UPDATE"),
        clientTrigger("allow_list_items", "INSERT OR DELETE OR UPDATE"),
    ]

    private static func function(_ name: String, _ body: String) -> String {
        // The tables are those of the schema that this connection works in, whoever calls.
        """
        CREATE FUNCTION \(name)() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
        BEGIN
        \(body)
          RETURN NULL;
        END $$
        """
    }

    private static func decisionTrigger(_ event: String, _ rows: String) -> String {
        """
        CREATE TRIGGER crowd_\(event.lowercased()) AFTER \(event) ON decisions REFERENCING \(rows) TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION crowd_note_decisions()
        """
    }

    private static func clientTrigger(_ table: String, _ events: String) -> String {
        """
        CREATE TRIGGER crowd_changed AFTER \(events) ON \(table)
        FOR EACH STATEMENT EXECUTE FUNCTION crowd_note_clients()
        """
    }

    static func install(in connection: PostgresConnection, present: Set<String>) throws(StoreError) {
        guard !present.contains(name) else { return }
        for statement in definition { try connection.execute(statement) }
    }

    /// A table that came after the others.
    static func watchScopes(in connection: PostgresConnection) throws(StoreError) {
        try connection.execute(clientTrigger(Table.machineScopes.name, "INSERT OR DELETE OR UPDATE"))
    }

    static func trim(in session: any SQLSession) throws(StoreError) {
        try session.run("DELETE FROM crowd_changes WHERE noted < now() - interval '\(minutes) minutes'", [])
    }
}

/// How far a connection has followed the change table.
struct ChangeReader {
    /// Nothing was read yet, or too long ago.
    private var snapshot: String?
    private var readAt: UInt64 = 0

    /// Tells `action` what others have committed since the last call; when it throws, the next call tells it again.
    mutating func read(
        from connection: PostgresConnection, at now: UInt64 = MonotonicTime.milliseconds(),
        _ action: ForeignChange.Action
    ) throws(StoreError) {
        let isTooOld = now - readAt > UInt64(ChangeTable.minutes) * 30_000
        let last = isTooOld ? nil : snapshot
        snapshot = try connection.readTransaction { () throws(StoreError) in
            let present = try connection.first("SELECT pg_current_snapshot()::text") { $0.text(0) }
            if present == last { return present }
            if let last {
                try Self.tell(since: last, connection, action)
            } else {
                try action(.anything, connection)
            }
            return present
        }
        readAt = now
    }

    private static func tell(since last: String, _ connection: PostgresConnection, _ action: ForeignChange.Action)
        throws(StoreError)
    {
        var (changed, gone, clients) = ([DecisionRecord](), [Int64](), false)
        try connection.each(
            """
            SELECT \(DecisionRecord.columns), change.decision FROM (
              SELECT DISTINCT decision FROM crowd_changes WHERE session IS DISTINCT FROM ?
              AND xid >= pg_snapshot_xmin(?) AND NOT pg_visible_in_snapshot(xid, ?)) change
            LEFT JOIN decisions ON id = change.decision
            """, [.text(connection.session), .text(last), .text(last)]
        ) { row in
            if row.isNull(11) {
                clients = true
            } else if row.isNull(0) {
                gone.append(row.int(11))
            } else {
                changed.append(DecisionRecord(row))
            }
        }
        if clients { try action(.clients, connection) }
        if !changed.isEmpty || !gone.isEmpty { try action(.decisions(changed, gone: gone), connection) }
    }
}
