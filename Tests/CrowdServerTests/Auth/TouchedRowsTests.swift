import Testing

@testable import CrowdServer

@Suite("Rows to be written") struct TouchedRowsTests {
    @Test(arguments: [0, 1, 32, 33, 500, 10_000]) func eachComesOnceAndSoon(_ count: Int) {
        var rows = TouchedRows()
        for _ in 0..<2 { for row in 0..<count { rows.insert(Int64(row)) } }
        var taken: [Int64] = []
        var rounds = 0
        while taken.count < count && rounds < 100 {
            let some = rows.take(all: false)
            #expect(some.count <= max(TouchedRows.few, count / 8))
            taken += some
            rounds += 1
        }
        #expect(taken == (0..<count).map { Int64($0) })
        #expect(rounds <= 50)
        #expect(rows.take(all: false).isEmpty)
    }

    /// However busy the others are, nobody waits for long.
    @Test func nobodyIsPassedOver() {
        var rows = TouchedRows()
        var waits: [Int64: Int] = [:]
        var longest = 0
        for _ in 0..<100 {
            for row in 0..<Int64(1000) { rows.insert(row) }
            for row in rows.take(all: false) {
                longest = max(longest, waits[row] ?? 0)
                waits[row] = -1
            }
            for row in 0..<Int64(1000) { waits[row, default: 0] += 1 }
        }
        #expect(longest <= 8)
    }

    @Test func atTheEndAllAreTaken() {
        var rows = TouchedRows()
        for row in 0..<Int64(1000) { rows.insert(row) }
        #expect(rows.take(all: true).count == 1000)
    }
}
