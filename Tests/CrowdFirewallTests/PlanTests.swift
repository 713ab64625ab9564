import CrowdTestSupport
import Testing

@testable import CrowdFirewall

private let set = SetID(family: .v4, origin: 0)

private func ban(_ first: UInt128, _ last: UInt128? = nil, _ deadline: Deadline = 0, set: SetID = set) -> Ban {
    Ban(set: set, span: AddressSpan(first: first, last: last ?? first), deadline: deadline)
}

@Suite("Desired state") struct DesiredStateTests {
    struct Step: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var before: [Ban] = []
        var deleted: [Ban] = []
        var new: [Ban] = []
        var now: Deadline = 0
        var remove: [UInt128] = []
        var add: [Segment] = []
    }

    @Test(arguments: [
        Step(testDescription: "a new address", new: [ban(1, nil, 50)], add: [Segment(1, 1, until: 50)]),
        Step(
            testDescription: "a longer renewal moves the timeout", before: [ban(1, nil, 50)], new: [ban(1, nil, 90)],
            remove: [1], add: [Segment(1, 1, until: 90)]),
        Step(
            testDescription: "a shorter renewal too", before: [ban(1, nil, 50)], new: [ban(1, nil, 20)], remove: [1],
            add: [Segment(1, 1, until: 20)]),
        Step(
            testDescription: "what is over is not deleted again", before: [ban(1, nil, 50)], deleted: [ban(1)], now: 60),
        Step(testDescription: "what never was neither", deleted: [ban(1)]),
        Step(
            testDescription: "deleted and new in one answer is new", before: [ban(1, nil, 50)], deleted: [ban(1)],
            new: [ban(1, nil, 70)], remove: [1], add: [Segment(1, 1, until: 70)]),
        Step(
            testDescription: "the longest of one answer wins", new: [ban(1, nil, 90), ban(1, nil, 20)],
            add: [Segment(1, 1, until: 90)]),
    ])
    func changesOnlyWhatDiffers(_ step: Step) {
        var state = DesiredState()
        state.replace(with: step.before)
        let change = state.apply(deleted: step.deleted, new: step.new, now: step.now)[set]
        #expect(change?.hosts.remove.map(\.first) ?? [] == step.remove)
        #expect(change?.hosts.add ?? [] == step.add)
    }

    @Test func originsDoNotLiftEachOther() {
        let other = SetID(family: .v4, origin: 1)
        var state = DesiredState()
        state.replace(with: [ban(1, nil, 50), ban(1, nil, 50, set: other)])
        let changes = state.apply(deleted: [ban(1)], new: [], now: 0)
        #expect(Set(changes.keys) == [set])
        #expect(state.sets[other]?.hosts == [1: 50])
    }

    @Test func anInnerRangeEndingLeavesTheOuterOne() {
        var state = DesiredState()
        state.replace(with: [ban(0, 100, 50), ban(20, 30, 90)])
        let change = state.apply(deleted: [ban(20, 30)], new: [], now: 0)[set]
        #expect(change?.ranges.add == [Segment(0, 100, until: 50)])
        #expect(change?.ranges.remove.map(\.first) == [0, 20, 31])
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func plansAppliedOneByOneAreTheCover(_ seed: UInt64) {
        var random = SeededRandom(seed)
        // All in one heap, or several apart, with chains of ranges that touch.
        let widest: UInt128 = seed % 2 == 0 ? 40 : 300
        var state = DesiredState()
        var kernel: Set<Segment> = []
        for now in 0..<30 as Range<Deadline> {
            func bans(_ deadline: ClosedRange<Deadline>) -> [Ban] {
                (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    let first = UInt128.random(in: 0...widest, using: &random)
                    let length = Bool.random(using: &random) ? 0 : UInt128.random(in: 1...8, using: &random)
                    return ban(first, first + length, .random(in: deadline, using: &random))
                }
            }
            kernel = kernel.filter { $0.deadline > now }
            let change = state.apply(deleted: bans(0...0), new: bans((now + 1)...(now + 12)), now: now)[set]
            let gone = Set(change?.ranges.remove ?? [])
            #expect(
                gone.allSatisfy { span in kernel.contains { $0.span == span } },
                "seed \(seed): removes what is not there")
            kernel = kernel.filter { !gone.contains($0.span) }.union(change?.ranges.add ?? [])
            let wanted = RangeCover.segments(state.sets[set]?.ranges ?? [:], now: now)
            #expect(kernel.sorted { $0.span < $1.span } == wanted, "seed \(seed), now \(now)")
        }
    }
}

@Suite("Neighbourhood of ranges") struct NeighbourhoodTests {
    private static let everything = [AddressSpan(first: 0, last: .max)]

    struct Place: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var touched: [(UInt128, UInt128)]
        var all: [(UInt128, UInt128)] = []
        var stretches: [(UInt128, UInt128)]?
    }

    @Test(arguments: [
        Place(testDescription: "alone", touched: [(10, 20)], all: [(0, 8), (22, 30)], stretches: [(10, 20)]),
        Place(testDescription: "touching", touched: [(10, 20)], all: [(0, 9), (21, 30)], stretches: [(0, 30)]),
        Place(
            testDescription: "linked by a wide one", touched: [(10, 20)], all: [(15, 90), (80, 95), (100, 200)],
            stretches: [(10, 95)]),
        Place(
            testDescription: "two places", touched: [(50, 60), (10, 20)], all: [(5, 12), (61, 70)],
            stretches: [(5, 20), (50, 70)]),
        Place(
            testDescription: "the ends of all addresses", touched: [(0, 0), (.max, .max)], all: [(1, 3)],
            stretches: [(0, 3), (.max, .max)]),
        Place(testDescription: "a long chain", touched: [(0, 9)], all: (1..<50).map { ($0 * 10, $0 * 10 + 9) }),
    ])
    func isAsWideAsTheLinksReach(_ place: Place) {
        let all = place.all.map { AddressSpan(first: $0.0, last: $0.1) }
        let found = RangeCover.around(place.touched.map { AddressSpan(first: $0.0, last: $0.1) }) {
            all.filter($0.meets)
        }
        #expect(
            found.stretches == place.stretches.map { $0.map { AddressSpan(first: $0.0, last: $0.1) } }
                ?? Self.everything)
    }
}

@Suite("Element plan") struct ElementPlanTests {
    @Test func sameWithinTheToleranceIsLeftAlone() {
        let actual = [Segment(1, 1, until: 1000), Segment(5, 9, until: 1000), Segment(20, 20, until: .max)]
        let desired = [Segment(1, 1, until: 1900), Segment(5, 9, until: 5000), Segment(30, 30, until: 7)]
        let plan = ElementPlan.from(actual, to: desired, Closeness(tolerance: 1000))
        #expect(plan.remove == [actual[1].span, actual[2].span])
        #expect(plan.add == [desired[1], desired[2]])
    }

    @Test func addressesAreComparedWithoutSorting() {
        let actual = [Segment(1, 1, until: 5000), Segment(2, 2, until: 5000), Segment(3, 3, until: 900)]
        let plan = ElementPlan.from(actual, to: [1: 5500, 4: 8000, 9: 10], now: 1000, Closeness(tolerance: 1000))
        #expect(plan.remove.map(\.first) == [2])
        #expect(plan.add == [Segment(4, 4, until: 8000)])
    }

    @Test func piecesKeepAnElementsTwoHalvesTogether() {
        let plan = ElementPlan(
            remove: (0..<10).map { AddressSpan(first: $0, last: $0) }, add: (5..<25).map { Segment($0, $0, until: 1) })
        let pieces = plan.pieces(first: 4, then: 7)
        #expect(pieces.flatMap(\.remove).count == 10 && pieces.flatMap(\.add).count == 20)
        for piece in pieces {
            #expect(piece.count <= 8)
            for key in piece.remove where key.first >= 5 { #expect(piece.add.contains { $0.span == key }) }
        }
    }
}

@Suite("Set names") struct SetNameTests {
    @Test(arguments: [
        ("crowdsec", "", "crowdsec", "crowdsec"), ("CAPI", "x", "CAPI", "CAPI"),
        ("lists", "firehol_greensnow", "lists-firehol_greensnow", "lists:firehol_greensnow"),
    ])
    func plainOriginsKeepTheReferencesNames(_ origin: String, _ scenario: String, _ name: String, _ label: String) {
        var table = OriginTable()
        let number = table.number(origin: origin, scenario: scenario)
        #expect(table[number] == .init(label: label, name: name))
    }

    @Test func strangeOriginsAreSafeAndDoNotCollide() {
        var table = OriginTable()
        let origins = ["a/b", "a b", "a_b", "", "é", "x-ranges", String(repeating: "y", count: 300)]
        let numbers = origins.map { table.number(origin: $0, scenario: "") }
        let names = numbers.map { table[$0].name }
        #expect(Set(names).count == origins.count)
        for name in names {
            #expect(name.utf8.allSatisfy { $0 < 0x80 && $0 > 0x20 && $0 != UInt8(ascii: "/") })
            #expect(SetNaming.nftables.ranges(prefix: "crowdsec6-blacklists", origin: name).utf8.count < 255)
            #expect(!name.hasSuffix("-ranges") && !name.isEmpty)
        }
    }

    @Test func adoptedNamesMeetTheirOriginsAgain() {
        var table = OriginTable()
        let name = SetName.sanitised("a/b")
        let adopted = table.number(name: name)
        #expect(table.number(origin: "a/b", scenario: "") == adopted)
        #expect(table[adopted].label == "a/b")
        #expect(SetNaming.nftables.origin(of: "p-x-ranges", prefix: "p") == "x")
        #expect(SetNaming.nftables.origin(of: "other", prefix: "p") == nil)
    }
}
