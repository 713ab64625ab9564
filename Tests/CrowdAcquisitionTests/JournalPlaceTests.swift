import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

/// Where a journal was left is found again among lines that come again.
@Suite("A place in a journal") struct JournalPlaceTests {
    private static let origin = LineOrigin(source: "journalctl-x", module: "journalctl", labels: [], isReplay: false)

    private func reader(_ place: String? = nil) -> JournalReader {
        JournalReader(Self.origin, 65_536, place.flatMap { JournalCursor($0) }, keepsPlace: true)
    }

    private func read(_ lines: ArraySlice<String>, _ reader: inout JournalReader, blockLines: Int = 50) -> [String] {
        var found: [String] = []
        func note(_ batch: LineBatch?) { batch?.withEachLine { found.append(String($0)) } }
        var rest = lines
        while !rest.isEmpty {
            var text = rest.prefix(blockLines).joined(separator: "\n") + "\n"
            rest = rest.dropFirst(blockLines)
            text.withUTF8 { note(reader.cut($0)) }
        }
        for _ in 0..<20 { note(reader.isIdle()) }
        return found
    }

    /// So many lines were read, the answer begins so many later, and so many are new.
    @Test(arguments: [1, 5, 64, 65, 5_000], [(0, 0), (0, 300), (1, 1), (40, 0), (40, 300), (200, 1), (200, 300)])
    func afterAKill(read: Int, answer: (gone: Int, new: Int)) {
        let (gone, new) = answer
        let lines = (0..<(read + new)).map { "Nov  1 10:00:00 h sshd[1]: line \($0) of a burst" }
        var first = reader()
        #expect(self.read(lines[..<read], &first) == Array(lines[..<read]))
        var second = reader(first.place)
        // At least one known line comes again.
        #expect(self.read(lines[min(gone, read - 1)...], &second) == Array(lines[read...]))
    }

    /// Killed again and again while what was written meanwhile is being read: what was not read by then still comes.
    @Test(arguments: [1, 2, 3, 4, 5]) func whileCatchingUp(seed: UInt64) {
        var random = SeededRandom(seed)
        let lines = (0..<10_000).map { "Nov  1 10:00:00 h sshd[1]: line \($0 / 3) of many" }
        var first = reader()
        var found = read(lines[..<100], &first)
        var place = first.place
        while found.count < lines.count {
            var next = reader(place)
            // The answer to the same question, of which only so much was read before the kill.
            let most = min(lines.count, found.count + Int.random(in: 0...2_000, using: &random))
            var count = 0
            var rest = lines[..<most]
            while !rest.isEmpty {
                var text = rest.prefix(97).joined(separator: "\n") + "\n"
                rest = rest.dropFirst(97)
                let batch = text.withUTF8 { next.cut($0) }
                batch?.withEachLine { found.append(String($0)) }
                count += batch?.count ?? 0
            }
            place = next.place
        }
        #expect(found == lines)
    }

    @Test func aJournalThatWasCleanedUp() {
        var first = reader()
        let lines = (0..<200).map { "Nov  1 10:00:00 h x: \($0)" }
        _ = read(lines[...], &first)
        var second = reader(first.place)
        let others = (0..<100).map { "Nov  1 10:00:00 h x: other \($0)" }
        #expect(read(others[...], &second) == others)
    }

    @Test(arguments: ["", "x", "5", "5/7 1 ff", "-3/9", "5/x zz 7"]) func anyTextIsReadOrRefused(_ text: String) {
        if let cursor = JournalCursor(text) { #expect(JournalCursor(cursor.text) == cursor) }
    }
}
