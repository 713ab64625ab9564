import CrowdCore
import CrowdStore
import Testing

@testable import CrowdServer

/// What the decisions in memory are kept in, beside the plain form of the same.
@Suite("Growing structures") struct GrowingTests {
    @Test(arguments: 0..<6)
    func aPagedArrayIsAnArrayWhoseIndicesStay(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var paged = PagedArray<Int>()
        var plain: [Int] = []
        var start = 0
        var snapshots: [(PagedArray<Int>, Int, [Int])] = []
        for step in 0..<2_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                for _ in 0..<Int.random(in: 1...300, using: &random) {
                    paged.append(step)
                    plain.append(step)
                }
            case 5, 6: for _ in 0..<200 { #expect(paged.popLast() == plain.popLast()) }
            case 7:
                let number = min(Int.random(in: 0...1_500, using: &random), plain.count)
                paged.removeFirst(number)
                plain.removeFirst(number)
                start += number
            case 8 where !plain.isEmpty:
                let index = Int.random(in: 0..<plain.count, using: &random)
                paged[start + index] = -step
                plain[index] = -step
            default: if snapshots.count < 20 { snapshots.append((paged, start, plain)) }
            }
        }
        for (paged, start, plain) in snapshots + [(paged, start, plain)] {
            #expect((paged.startIndex, paged.endIndex) == (start, start + plain.count))
            #expect((paged.startIndex..<paged.endIndex).map { paged[$0] } == plain && paged.first == plain.first)
        }
    }

    @Test(arguments: 0..<4)
    func aSlotTableFindsWhatIsInIt(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        // Few hashes: most share a part, many a cell.
        let spread: UInt32 = seed % 2 == 0 ? .max : 50
        var table = SlotTable()
        var hashes: [Int: UInt32] = [:]
        for slot in 0..<20_000 {
            if slot % 3 == 2, let (other, hash) = hashes.randomElement(using: &random) {
                table.remove(other, hash: hash)
                hashes[other] = nil
            }
            if slot % 50 == 0, let (other, hash) = hashes.randomElement(using: &random) {
                table.replace(other, with: slot + 100_000, hash: hash)
                hashes[other] = nil
                hashes[slot + 100_000] = hash
            }
            guard spread == .max || hashes.count < 500 else { continue }
            let hash = UInt32.random(in: 0...spread, using: &random) &* (spread == .max ? 1 : 0x0101_0101)
            table.insert(slot, hash: hash)
            hashes[slot] = hash
        }
        for (slot, hash) in hashes { #expect(table.find(hash: hash) { $0 == slot } == slot) }
        for slot in 0..<20_000 where hashes[slot] == nil {
            #expect(table.find(hash: UInt32(slot) &* 0x9E37_79B9) { $0 == slot } == nil)
        }
    }

    @Test func endsComeInTheirOrder() {
        var random = SeededGenerator(seed: 7)
        var heap = ExpiryHeap()
        let ends = (0..<5_000).map { _ in Int64.random(in: 0..<3_000, using: &random) }
        for (slot, end) in ends.enumerated() { heap.push(until: end, slot: Int32(slot)) }
        var found: [Int64] = []
        for limit in stride(from: Int64(99), to: 3_100, by: 100) {
            while let due = heap.pop(until: limit) {
                #expect(due.until <= limit && ends[Int(due.slot)] == due.until)
                found.append(due.until)
            }
        }
        #expect(found == ends.sorted())
    }

    /// A list that ran out at once is forgotten a little at a time, but is forgotten.
    @Test func whatEndedTogetherIsForgottenInPortions() {
        var book = DecisionBook(retention: .init(changes: 100, ended: 100, seconds: 60))
        let start = Timestamp(seconds: 1_800_000_000)
        for id in 1...5_000 { book.add(record(id, "192.0.2.\(id % 200)", start), now: start) }
        var now = start + .seconds(3_601)
        book.advance(to: now)
        #expect(book.activeCount == 0 && known(book) == 5_000)
        now = now + .seconds(120)
        book.advance(to: now)  // notes where the log stood
        now = now + .seconds(120)
        book.advance(to: now)
        #expect((4_800..<5_000).contains(known(book)))
        var portions = 1
        while !book.trim(now: now, atMost: 64) { portions += 1 }
        #expect((70...80).contains(portions))
        #expect(known(book) == 100)
    }

    private func known(_ book: DecisionBook) -> Int { (1...5_000).count { book.slot(of: $0) != nil } }

    /// Who is not concerned by a long list skips it, and misses nothing that lies in or beside it.
    @Test(arguments: [0, 1, 500, 2_300, 5_000], [1, 700, 3_000])
    func changesOfOthersAreSkipped(before cursor: Int, forgotten: Int) {
        var log = ChangeLog()
        for number in 1...6_000 {
            // Kind 7 is rare, between 3,000 and 4,000 there are many kinds.
            let kind = number % 2_500 == 0 ? 7 : (3_000..<4_000).contains(number) ? UInt32(number % 40 + 10) : 1
            log.append(number * 2, kind: kind)
        }
        log.removeFirst(forgotten)
        let stretches = log.stretches(after: UInt64(cursor)) { $0 == 7 }
        let numbers = stretches.joined().map { $0 + 1 }
        #expect(numbers.allSatisfy { $0 > max(cursor, forgotten) && log[$0 - 1] == $0 * 2 })
        #expect([2_500, 5_000].filter { $0 > max(cursor, forgotten) }.allSatisfy(numbers.contains))
        #expect(numbers.count <= 4 * 1_024 && numbers == numbers.sorted())
        #expect(log.stretches(after: log.last) { _ in true }.isEmpty)
    }

    /// An address that was banned again and again speaks with one voice, whichever of its bans come and go.
    @Test func thousandsOfTwinsAreOne() {
        var book = DecisionBook(retention: .init(changes: 10, ended: 0, seconds: 0))
        let start = Timestamp(seconds: 1_800_000_000)
        for id in 1...6_000 { book.add(record(id, "192.0.2.1", start + .seconds(Int64(id))), now: start) }
        let cursor = book.lastChange
        let first = DecisionView(book, now: start).delta(from: .start, .stream)
        #expect(first.new.map { book.entries[Int($0)].id } == [6_000] && first.deleted.isEmpty)
        for id in 3_001...6_000 { book.end(id: Int64(id), now: start) }
        let second = book.delta(after: cursor, .stream)
        #expect(second.new.map { book.entries[Int($0)].id } == [3_000] && second.deleted.isEmpty)
        while !book.trim(now: start, atMost: 1_000) {}
        for id in 1...3_000 { book.end(id: Int64(id), now: start) }
        let third = DecisionView(book, now: start).delta(from: .time(nanoseconds: start.nanoseconds), .stream)
        #expect(third.new.isEmpty && third.deleted.count == 1)
    }

    private func record(_ id: Int, _ value: String, _ begin: Timestamp) -> DecisionRecord {
        DecisionRecord(
            id: Int64(id), createdAt: begin, until: begin + .seconds(3_600), scenario: "s", type: "ban", scope: "Ip",
            value: value, origin: "o", simulated: false, uuid: "", alertID: 1)
    }
}
