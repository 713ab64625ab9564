internal import CrowdCore

/// Stretches of addresses outside of which a change of some ranges changes nothing: the ranges themselves, and all that is
/// linked to them by overlapping or touching.
///
/// Invariant: sorted, and no two of them overlap or touch.
struct Neighbourhood: Equatable, Sendable {
    private(set) var stretches: [AddressSpan]

    init(_ spans: [AddressSpan]) {
        stretches = []
        for span in spans.sorted() {
            if let last = stretches.last, span.first == 0 || span.first - 1 <= last.last {
                stretches[stretches.count - 1].last = max(last.last, span.last)
            } else {
                stretches.append(span)
            }
        }
    }

    /// Whether a span overlaps one of the stretches or touches it. O(log n).
    func meets(_ span: AddressSpan) -> Bool {
        let before = span.first == 0 ? 0 : span.first - 1
        let place = stretches.firstSortedIndex { $0.last >= before }
        return place < stretches.count && (stretches[place].first == 0 || stretches[place].first - 1 <= span.last)
    }
}

extension RangeCover {
    /// Ranges of a list may touch each other in one long chain: after so many links all are taken.
    private static let links = 4

    /// The neighbourhood of some ranges among all: a few walks over all of them.
    ///
    /// - Parameter met: those of all that meet a neighbourhood.
    static func around(_ spans: [AddressSpan], _ met: (Neighbourhood) -> [AddressSpan]) -> Neighbourhood {
        var found = Neighbourhood(spans)
        for _ in 0..<links {
            let wider = Neighbourhood(found.stretches + met(found))
            if wider == found { return found }
            found = wider
        }
        return Neighbourhood([AddressSpan(first: 0, last: .max)])
    }
}
