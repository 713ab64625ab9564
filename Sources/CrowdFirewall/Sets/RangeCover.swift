internal import CrowdCore

/// A stretch of addresses that is banned until one moment: what one element of a kernel set holds.
struct Segment: Hashable, Sendable {
    var span: AddressSpan
    var deadline: Deadline

    init(_ first: UInt128, _ last: UInt128, until deadline: Deadline) {
        span = AddressSpan(first: first, last: last)
        self.deadline = deadline
    }

    init(_ span: AddressSpan, until deadline: Deadline) {
        self.span = span
        self.deadline = deadline
    }
}

/// Overlapping, nested and adjacent ranges as segments that do not overlap, since a kernel interval set refuses overlap.
///
/// (1) Each address is in a segment exactly if a range covers it, and the segment's deadline is the latest of those
///     ranges: when the longer of two ends, the shorter has ended too, and when the shorter ends nothing changes.
/// (2) Segments are sorted and maximal: neighbours that touch differ in their deadlines.
/// (3) Time alone never asks for a change: dropping ranges that are over drops exactly the segments that are over.
///
/// O(n log n): a sweep over the ends, with the running ranges in a heap by deadline.
enum RangeCover {
    static func segments(_ ranges: [AddressSpan: Deadline], now: Deadline) -> [Segment] {
        let sorted = ranges.filter { $0.value > now }.sorted { $0.key < $1.key }
        var out: [Segment] = []
        var running = DeadlineHeap()
        var next = 0
        var position: UInt128 = 0
        while next < sorted.count || !running.isEmpty {
            if running.isEmpty { position = sorted[next].key.first }
            while next < sorted.count, sorted[next].key.first == position {
                running.insert(last: sorted[next].key.last, deadline: sorted[next].value)
                next += 1
            }
            guard let top = running.top else { continue }
            // The longest ban rules until it ends in space, or another range begins.
            let beginsNext = next < sorted.count && sorted[next].key.first <= top.last
            let last = beginsNext ? sorted[next].key.first - 1 : top.last
            append(Segment(position, last, until: top.deadline), to: &out)
            guard last < .max else { return out }
            position = last + 1
            running.drop(before: position)
        }
        return out
    }

    /// Whether one of sorted segments covers an address. O(log n).
    static func contains(_ segments: [Segment], _ address: UInt128) -> Bool {
        let place = segments.firstSortedIndex { $0.span.last >= address }
        return place < segments.count && segments[place].span.first <= address
    }

    /// `segments` without the addresses of `holes`; both sorted and free of overlap.
    static func subtracting(_ holes: [Segment], from segments: [Segment]) -> [Segment] {
        guard !holes.isEmpty else { return segments }
        var out: [Segment] = []
        var next = 0
        for segment in segments {
            while next < holes.count, holes[next].span.last < segment.span.first { next += 1 }
            var (rest, hole) = (Optional(segment.span.first), next)
            while let first = rest, hole < holes.count, holes[hole].span.first <= segment.span.last {
                let span = holes[hole].span
                if span.first > first { out.append(Segment(first, span.first - 1, until: segment.deadline)) }
                rest = span.last < segment.span.last ? span.last + 1 : nil
                hole += 1
            }
            if let first = rest { out.append(Segment(first, segment.span.last, until: segment.deadline)) }
        }
        return out
    }

    private static func append(_ segment: Segment, to out: inout [Segment]) {
        if let previous = out.last, previous.deadline == segment.deadline,
            previous.span.last &+ 1 == segment.span.first
        {
            out[out.count - 1].span.last = segment.span.last
        } else {
            out.append(segment)
        }
    }
}

/// Ranges under the sweep line, the one with the latest deadline on top. Those that ended in space are dropped lazily,
/// when they come to the top.
private struct DeadlineHeap {
    struct Item {
        var last: UInt128
        var deadline: Deadline
    }

    private var items: [Item] = []

    var isEmpty: Bool { items.isEmpty }
    var top: Item? { items.first }

    mutating func insert(last: UInt128, deadline: Deadline) {
        items.append(Item(last: last, deadline: deadline))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.precedes(items[child], items[parent]) else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    /// Removes from the top all that lie before `position`.
    mutating func drop(before position: UInt128) {
        while let first = items.first, first.last < position {
            items.swapAt(0, items.count - 1)
            items.removeLast()
            sink()
        }
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var best = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
                if Self.precedes(items[child], items[best]) { best = child }
            }
            if best == parent { return }
            items.swapAt(parent, best)
            parent = best
        }
    }

    private static func precedes(_ a: Item, _ b: Item) -> Bool { a.deadline > b.deadline }
}
