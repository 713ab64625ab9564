extension RandomAccessCollection {
    /// The first place at which a condition holds that holds for all elements behind it, too; the end when it holds for none.
    /// O(log n).
    @inlinable public func firstSortedIndex(where holds: (Element) -> Bool) -> Index {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = index(low, offsetBy: distance(from: low, to: high) / 2)
            if holds(self[middle]) { high = middle } else { low = index(after: middle) }
        }
        return low
    }
}
