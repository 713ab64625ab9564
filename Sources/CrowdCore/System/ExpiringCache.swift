/// Values that are good for a while, so many at most: beyond that an eighth goes, those that came first.
public struct ExpiringCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var entries: [Key: (value: Value, expires: Timestamp)] = [:]
    /// In order of coming, for making room.
    private var order: [Key] = []

    /// - Parameter capacity: none or less keeps nothing.
    public init(capacity: Int) { self.capacity = capacity }

    /// nil when there is none, or its time is over.
    public func find(_ key: Key, at now: Timestamp) -> Value? {
        guard let entry = entries[key], entry.expires > now else { return nil }
        return entry.value
    }

    public mutating func keep(_ value: Value, of key: Key, until expires: Timestamp) {
        guard capacity > 0 else { return }
        if entries.updateValue((value, expires), forKey: key) == nil { order.append(key) }
        guard order.count > capacity else { return }
        let rest = max(capacity / 8, 1)
        for old in order.prefix(rest) { entries[old] = nil }
        order.removeFirst(rest)
    }
}
