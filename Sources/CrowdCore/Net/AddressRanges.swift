/// Ranges among which an address is looked for in O(log n), however many there are and whatever their families.
public struct AddressRanges: Sendable {
    /// Where each begins and ends: ascending, and none within another.
    private let firsts: [IPAddress]
    private let lasts: [IPAddress]

    public init(_ ranges: some Sequence<IPRange>) {
        // Of two ranges in CIDR form that share an address, one is within the other.
        var outer: [IPRange] = []
        for range in ranges.sorted(by: { ($0.first, $1.prefixLength) < ($1.first, $0.prefixLength) }) {
            if let last = outer.last, last.contains(range) { continue }
            outer.append(range)
        }
        firsts = outer.map(\.first)
        lasts = outer.map(\.last)
    }

    public var isEmpty: Bool { firsts.isEmpty }

    /// An IPv4 address is in ranges of IPv4 alone, one of IPv6 (mapped ones too) in those of IPv6.
    public func contains(_ address: IPAddress) -> Bool {
        let place = lasts.firstSortedIndex { $0 >= address }
        return place < firsts.count && firsts[place] <= address
    }
}
