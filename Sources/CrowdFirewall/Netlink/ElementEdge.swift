internal import CNetfilter
internal import CNetfilterSystem

/// One entry of a dumped set: an address, or the beginning or the end of an interval.
struct ElementEdge {
    var key: UInt128
    var isEnd: Bool
    var deadline: Deadline

    init?(_ attributes: NetlinkAttributes, now: Deadline) {
        guard let value = attributes.nested(k16(NFTA_SET_ELEM_KEY))?[k16(NFTA_DATA_VALUE)] else { return nil }
        key = value.reduce(0) { $0 << 8 | UInt128($1) }
        isEnd = (attributes.u32(k16(NFTA_SET_ELEM_FLAGS)) ?? 0) & k32(NFT_SET_ELEM_INTERVAL_END) != 0
        let left = attributes.u64(k16(NFTA_SET_ELEM_EXPIRATION))
        deadline = left.map { now + Deadline(clamping: min($0, UInt64(Deadline.max / 2))) } ?? .max
    }

    static func segments(_ edges: [ElementEdge], of set: KernelSet) -> [Segment] {
        guard set.isInterval else {
            return edges.map { Segment($0.key, $0.key, until: $0.deadline) }.sorted { $0.span < $1.span }
        }
        var segments: [Segment] = []
        var open: ElementEdge?
        for edge in edges.sorted(by: { $0.key != $1.key ? $0.key < $1.key : $0.isEnd && !$1.isEnd }) {
            if let start = open, edge.key > 0 {
                segments.append(Segment(start.key, edge.key - 1, until: start.deadline))
            }
            // An end without a beginning is what the kernel keeps of an expired interval for a while.
            open = edge.isEnd ? nil : edge
        }
        if let start = open { segments.append(Segment(start.key, set.family.highest, until: start.deadline)) }
        return segments
    }
}

/// Puts together what the kernel answers to a question for elements: one entry for an address, two for an interval unless
/// it reaches to the last address.
struct ElementAnswers {
    private let spans: [AddressSpan]
    private let set: KernelSet
    private(set) var found: [Deadline?]
    /// The element of which the next entry is.
    private(set) var next = 0
    /// The beginning of an interval whose end is still to come.
    private var begun: ElementEdge?

    init(_ spans: [AddressSpan], _ set: KernelSet) {
        self.spans = spans
        self.set = set
        found = Array(repeating: nil, count: spans.count)
    }

    mutating func take(_ edge: ElementEdge) {
        let span = spans[next]
        if let start = begun {
            let isWhole = start.key == span.first && !start.isEnd && edge.isEnd && edge.key == span.last + 1
            answer(isWhole ? start.deadline : nil)
        } else if set.isInterval && span.last < set.family.highest {
            begun = edge
        } else {
            answer(edge.key == span.first && !edge.isEnd ? edge.deadline : nil)
        }
    }

    /// What lies between was not answered: it is not there.
    mutating func skip(to index: Int) {
        begun = nil
        next = max(next, index)
    }

    private mutating func answer(_ deadline: Deadline?) {
        found[next] = deadline
        begun = nil
        next += 1
    }
}
