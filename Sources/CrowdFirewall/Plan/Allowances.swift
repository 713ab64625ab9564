internal import CrowdCore

/// Addresses that are never dropped: those of the configuration, and those of the Local API's allowlists.
///
/// One source replaces its own entries only.
struct Allowances: Equatable, Sendable {
    enum Source: Sendable { case configuration, localAPI }

    struct Entry: Equatable, Sendable {
        var family: Family
        var span: AddressSpan
        var deadline: Deadline

        /// What has no end has one a hundred years after the machine's start, which the kernel can take.
        static let never: Deadline = 100 * 365 * 86400 * 1000

        init(_ family: Family, _ span: AddressSpan, until deadline: Deadline) {
            (self.family, self.span, self.deadline) = (family, span, min(deadline, Self.never))
        }

        init(_ range: IPRange, until deadline: Deadline? = nil) {
            (family, span) = AddressSpan.of(range)
            self.deadline = deadline ?? Self.never
        }
    }

    private var entries: [Source: [Entry]] = [:]

    var isEmpty: Bool { entries.values.allSatisfy(\.isEmpty) }

    /// False if nothing changed; ends that moved by less than a second did not.
    mutating func replace(_ source: Source, with new: [Entry]) -> Bool {
        let old = entries[source] ?? []
        let isSame =
            old.count == new.count
            && zip(old, new).allSatisfy { $0.span == $1.span && $0.family == $1.family && $0.isAsLong($1) }
        guard !isSame else { return false }
        entries[source] = new
        return true
    }

    mutating func replace(_ source: Source, with ranges: [IPRange]) {
        _ = replace(source, with: ranges.map { Entry($0) })
    }

    func entries(_ source: Source) -> [Entry] { entries[source] ?? [] }

    /// Sorted, free of overlap.
    func cover(_ family: Family, now: Deadline) -> [Segment] {
        var spans: [AddressSpan: Deadline] = [:]
        for entry in entries.values.joined() where entry.family == family {
            spans[entry.span] = max(entry.deadline, spans[entry.span] ?? entry.deadline)
        }
        return RangeCover.segments(spans, now: now)
    }
}

extension Allowances.Entry {
    fileprivate func isAsLong(_ other: Self) -> Bool { abs(deadline - other.deadline) < 1000 }
}
