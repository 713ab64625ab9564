import CrowdCore
import CrowdStore

/// Allowlists in memory, ready to be asked about an address or range (protocol facts A.10).
struct AllowlistMatcher: Sendable {
    struct Entry: Sendable {
        var range: IPRange
        var expiresAt: Timestamp?
        var list: String
        /// `1.2.3.0/24 from mylist (comment)`
        var reason: String
    }

    let lists: [AllowlistRecord]
    private let entries: [Entry]

    init(_ lists: [AllowlistRecord] = []) {
        self.lists = lists
        entries = lists.flatMap { list in
            list.items.compactMap { item in
                IPRange(unmapping: item.value).map { range in
                    let comment = item.comment.isEmpty ? "" : " (\(item.comment))"
                    return Entry(
                        range: range, expiresAt: item.expiresAt, list: list.name,
                        reason: "\(item.value) from \(list.name)\(comment)")
                }
            }
        }
    }

    /// Why the range is allowed: it lies in an item, or an item in it. Ordered by list; empty when it is not.
    func reasons(for range: IPRange, now: Timestamp) -> [String] {
        entries.filter { entry in
            entry.range.first.isV6 == range.first.isV6 && (entry.expiresAt.map { $0 > now } ?? true)
                && (entry.range.contains(range) || range.contains(entry.range))
        }.map(\.reason)
    }
}
