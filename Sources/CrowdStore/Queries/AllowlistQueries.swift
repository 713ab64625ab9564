public import CrowdCore

/// A list of addresses that are never to be banned.
public struct AllowlistRecord: Sendable, Equatable {
    public struct Item: Sendable, Equatable {
        public var value: String
        public var comment: String
        public var createdAt: Timestamp
        /// nil never expires.
        public var expiresAt: Timestamp?
    }

    public var id: Int64
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    public var name: String
    public var isFromConsole: Bool
    public var description: String
    public var allowlistID: String
    public var items: [Item] = []
}

public enum AllowlistQueries {
    /// All lists with their items, by name.
    public static func all(in session: any SQLSession) throws(StoreError) -> [AllowlistRecord] {
        let zero = Timestamp(nanoseconds: 0)
        var lists = try session.all(
            """
            SELECT id, created_at, updated_at, name, from_console, description, allowlist_id FROM allow_lists
            ORDER BY name
            """
        ) { row in
            AllowlistRecord(
                id: row.int(0), createdAt: row.time(1) ?? zero, updatedAt: row.time(2) ?? zero, name: row.text(3),
                isFromConsole: row.bool(4), description: row.text(5), allowlistID: row.text(6))
        }
        for index in lists.indices {
            lists[index].items = try session.all(
                """
                SELECT value, comment, i.created_at, expires_at FROM allow_list_items i
                JOIN allow_list_allowlist_items l ON l.allow_list_item_id = i.id
                WHERE l.allow_list_id = ? ORDER BY i.id
                """, [.int(lists[index].id)]
            ) { row in
                .init(
                    value: row.text(0), comment: row.text(1), createdAt: row.time(2) ?? zero, expiresAt: row.time(3))
            }
        }
        return lists
    }

    /// Differs when a list or an item came, went or changed.
    public static func fingerprint(in session: any SQLSession) throws(StoreError) -> String {
        let lists = try session.first("SELECT count(*), max(id), max(updated_at) FROM allow_lists", [], texts)
        let items = try session.first("SELECT count(*), max(id), max(updated_at) FROM allow_list_items", [], texts)
        return "\(lists ?? "") \(items ?? "")"
    }

    private static func texts(_ row: any SQLRow) -> String {
        (0..<3).map { row.text($0) }.joined(separator: " ")
    }
}
