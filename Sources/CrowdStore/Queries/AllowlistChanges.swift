public import CrowdCore

/// Changing allowlists; what `cscli` does in the database (surface facts A.7).
public enum AllowlistChanges {
    /// An address or range to be put on a list.
    public struct NewItem: Sendable {
        /// As it was written.
        public var value: String
        public var range: IPRange
        public var comment: String
        /// nil never expires.
        public var expiresAt: Timestamp?

        public init(value: String, range: IPRange, comment: String = "", expiresAt: Timestamp? = nil) {
            self.value = value
            self.range = range
            self.comment = comment
            self.expiresAt = expiresAt
        }
    }

    /// Fails with `.constraint` when the name is taken.
    public static func create(_ name: String, description: String, at now: Timestamp, in session: any SQLSession)
        throws(StoreError)
    {
        try session.run(
            """
            INSERT INTO allow_lists (created_at, updated_at, name, from_console, description, allowlist_id)
            VALUES (?,?,?,?,?,?)
            """, [.time(now), .time(now), .text(name), .bool(false), .text(description), .text("")])
    }

    /// The list goes with its items.
    public static func delete(_ list: Int64, in session: any SQLSession) throws(StoreError) {
        try session.run("DELETE FROM allow_list_items WHERE id IN (\(itemsOfList))", [.int(list)])
        try session.run("DELETE FROM allow_lists WHERE id = ?", [.int(list)])
    }

    /// Puts items on a list; the caller has left out those that are on it.
    public static func add(_ items: [NewItem], to list: Int64, at now: Timestamp, in session: any SQLSession)
        throws(StoreError)
    {
        for item in items {
            let id = try session.insert(
                """
                INSERT INTO allow_list_items (created_at, updated_at, expires_at, comment, value, start_ip, end_ip,
                  start_suffix, end_suffix, ip_size) VALUES (?,?,?,?,?,?,?,?,?,?) RETURNING id
                """,
                [.time(now), .time(now), .optional(item.expiresAt), .text(item.comment), .text(item.value)]
                    + NumericRange(item.range).values)
            try session.run(
                "INSERT INTO allow_list_allowlist_items (allow_list_id, allow_list_item_id) VALUES (?,?)",
                [.int(list), .int(id)])
        }
        if !items.isEmpty { try touch(list, at: now, in: session) }
    }

    /// Takes values off a list; returns how many were on it.
    public static func remove(_ values: [String], from list: Int64, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Int
    {
        var removed = 0
        for value in values {
            removed += try session.run(
                "DELETE FROM allow_list_items WHERE value = ? AND id IN (\(itemsOfList))", [.text(value), .int(list)])
        }
        if removed > 0 { try touch(list, at: now, in: session) }
        return removed
    }

    /// Ends the active decisions that touch one of these ranges; returns how many.
    public static func expireDecisions(matching ranges: [IPRange], at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Int
    {
        var ended = 0
        for range in ranges {
            for covering in [true, false] {
                let condition = NumericRange(range).condition(covering: covering)
                ended += try session.run(
                    "UPDATE decisions SET until = ?, updated_at = ? WHERE until > ? AND \(condition.sql)",
                    [.time(now), .time(now), .time(now)] + condition.values)
            }
        }
        return ended
    }

    private static let itemsOfList =
        "SELECT allow_list_item_id FROM allow_list_allowlist_items WHERE allow_list_id = ?"

    private static func touch(_ list: Int64, at now: Timestamp, in session: any SQLSession) throws(StoreError) {
        try session.run("UPDATE allow_lists SET updated_at = ? WHERE id = ?", [.time(now), .int(list)])
    }
}
