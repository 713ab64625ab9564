import CrowdTestSupport
import Testing

@testable import CrowdFirewall

private func span(_ first: UInt128, _ last: UInt128) -> AddressSpan { AddressSpan(first: first, last: last) }

@Suite("Range cover") struct RangeCoverTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var ranges: [(UInt128, UInt128, Deadline)]
        var segments: [(UInt128, UInt128, Deadline)]
    }

    @Test(arguments: [
        Shape(testDescription: "nothing", ranges: [], segments: []),
        Shape(
            testDescription: "apart", ranges: [(10, 20, 100), (30, 40, 50)], segments: [(10, 20, 100), (30, 40, 50)]),
        Shape(
            testDescription: "a longer inner range", ranges: [(0, 100, 50), (20, 30, 90)],
            segments: [(0, 19, 50), (20, 30, 90), (31, 100, 50)]),
        Shape(
            testDescription: "a shorter inner range", ranges: [(0, 100, 50), (20, 30, 40)], segments: [(0, 100, 50)]),
        Shape(
            testDescription: "overlap", ranges: [(0, 50, 10), (40, 90, 20)], segments: [(0, 39, 10), (40, 90, 20)]),
        Shape(testDescription: "touching, same end", ranges: [(0, 9, 10), (10, 19, 10)], segments: [(0, 19, 10)]),
        Shape(testDescription: "over already", ranges: [(0, 9, 0)], segments: []),
        Shape(
            testDescription: "up to the last address", ranges: [(0, .max, 10), (.max - 1, .max, 20)],
            segments: [(0, .max - 2, 10), (.max - 1, .max, 20)]),
        Shape(
            testDescription: "same start", ranges: [(0, 9, 20), (0, 99, 10)], segments: [(0, 9, 20), (10, 99, 10)]),
    ])
    func holdsTheLatestDeadlineOfEachAddress(_ shape: Shape) {
        let ranges = Dictionary(shape.ranges.map { (span($0.0, $0.1), $0.2) }) { $1 }
        #expect(RangeCover.segments(ranges, now: 0) == shape.segments.map { Segment($0.0, $0.1, until: $0.2) })
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func agreesWithCountingAddressByAddress(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var ranges: [AddressSpan: Deadline] = [:]
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let first = UInt128.random(in: 0...60, using: &random)
            ranges[span(first, first + .random(in: 0...20, using: &random))] = Deadline.random(
                in: 0...6, using: &random)
        }
        for now in 0...6 as ClosedRange<Deadline> {
            let segments = RangeCover.segments(ranges, now: now)
            for address in 0...90 as ClosedRange<UInt128> {
                let wanted = ranges.filter { $0.key.first <= address && address <= $0.key.last && $0.value > now }
                    .values.max()
                let found = segments.filter { $0.span.first <= address && address <= $0.span.last }
                #expect(
                    found.map(\.deadline) == wanted.map { [$0] } ?? [], "seed \(seed), address \(address), now \(now)")
            }
            // Time alone changes nothing but what is over.
            #expect(segments == RangeCover.segments(ranges, now: 0).filter { $0.deadline > now }, "seed \(seed)")
        }
    }
}
