public import CrowdCore

/// A value bound to a statement's `?`.
public enum SQLValue: Sendable, Equatable {
    case null
    case int(Int64)
    case double(Double)
    case text(String)

    public static func bool(_ value: Bool) -> SQLValue { .int(value ? 1 : 0) }
    public static func int32(_ value: Int32) -> SQLValue { .int(Int64(value)) }

    /// UTC, in the reference's text form: comparisons are textual.
    public static func time(_ value: Timestamp) -> SQLValue { .text(value.sqlite) }
    public static func optional(_ value: Timestamp?) -> SQLValue { value.map { .time($0) } ?? .null }
    /// A JSON text; none is NULL, because an empty text is no JSON.
    public static func json(_ value: String) -> SQLValue { value.isEmpty ? .null : .text(withoutNUL(value)) }

    /// An escaped NUL, which PostgreSQL does not take in JSON either, becomes U+FFFD.
    private static func withoutNUL(_ json: String) -> String {
        let escaped = Array("u0000".utf8)
        var (bytes, rest) = ([UInt8](), Array(json.utf8)[...])
        while let backslash = rest.firstIndex(of: UInt8(ascii: "\\")) {
            // What is escaped stays with its backslash: the second one of a pair begins nothing.
            let next = rest[(backslash + 1)...]
            let isNUL = next.starts(with: escaped)
            bytes += rest[..<backslash]
            bytes += isNUL ? Array("\\ufffd".utf8) : Array(rest[backslash...].prefix(2))
            rest = isNUL ? next.dropFirst(escaped.count) : next.dropFirst()
        }
        return String(decoding: bytes + rest, as: UTF8.self)
    }

    public static func optional(_ value: Int64?) -> SQLValue { value.map { .int($0) } ?? .null }
}

/// One row of a result, valid until the next one is fetched. Columns count from zero; NULL reads as zero or empty.
public protocol SQLRow {
    func isNull(_ column: Int) -> Bool
    func int(_ column: Int) -> Int64
    func double(_ column: Int) -> Double
    func text(_ column: Int) -> String
    func bool(_ column: Int) -> Bool
    /// nil for NULL and for text that is no time.
    func time(_ column: Int) -> Timestamp?
}

extension SQLRow {
    public func optionalInt(_ column: Int) -> Int64? { isNull(column) ? nil : int(column) }
}

/// One connection inside one transaction: what the queries are written against, whatever the database.
///
/// Statements are prepared once per connection and text; values are always bound, never spliced in.
public protocol SQLSession: AnyObject {
    /// Runs a statement without result and returns how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Int
    /// Calls `body` for each row of the result, in order; `body` must run no statement itself.
    func each(_ sql: String, _ values: [SQLValue], _ body: (any SQLRow) throws(StoreError) -> Void) throws(StoreError)
    /// Runs `body` so that its changes are undone when it throws, and only they.
    func savepoint<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R
}

extension SQLSession {
    /// The first row of a result as `read` makes it, or nil when there is none.
    public func first<R>(_ sql: String, _ values: [SQLValue] = [], _ read: (any SQLRow) -> R) throws(StoreError) -> R? {
        var found: R?
        try each(sql, values) { row in if found == nil { found = read(row) } }
        return found
    }

    public func all<R>(_ sql: String, _ values: [SQLValue] = [], _ read: (any SQLRow) -> R) throws(StoreError) -> [R] {
        var rows: [R] = []
        try each(sql, values) { row in rows.append(read(row)) }
        return rows
    }

    /// Runs an `INSERT ... RETURNING id`.
    public func insert(_ sql: String, _ values: [SQLValue]) throws(StoreError) -> Int64 {
        guard let id = try first(sql, values, { $0.int(0) }) else { throw StoreError(.other, "insert returned no id") }
        return id
    }
}
