import CrowdCore
import CrowdStore
import Testing

@testable import CrowdServer

@Suite("Stream bodies") struct DecisionPiecesTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    /// `active` decisions and `ended` ones, told from the start.
    private static func body(active: Int, ended: Int) -> [[UInt8]] {
        var book = DecisionBook()
        for id in 0..<(active + ended) {
            book.add(
                DecisionRecord(
                    id: Int64(id + 1), createdAt: now, until: now + .seconds(3600), scenario: "crowdsecurity/ssh-bf",
                    type: "ban", scope: "Ip", value: "10.\(id >> 16).\(id >> 8 & 255).\(id & 255)", origin: "crowdsec",
                    simulated: false, uuid: SecureRandom.uuid(), alertID: 1), now: now)
        }
        for id in active..<(active + ended) { book.end(id: Int64(id + 1), now: now) }
        let view = DecisionView(book, now: now)
        return Array(DecisionPieces(view, view.delta(from: .start, .stream)))
    }

    @Test(arguments: [(0, 0), (1, 0), (0, 1), (2, 3), (5000, 0), (0, 5000), (3000, 3000)])
    func areOneDocument(active: Int, ended: Int) throws {
        let pieces = Self.body(active: active, ended: ended)
        let json = try JSON.parse(Array(pieces.joined()))
        #expect(json["new"]?.array?.count == active && json["deleted"]?.array?.count == ended)
        #expect(pieces.allSatisfy { !$0.isEmpty && $0.count < 66_048 })
    }

    @Test func emptyIsAsTheReferenceWritesIt() {
        #expect(
            String(decoding: Array(Self.body(active: 0, ended: 0).joined()), as: UTF8.self)
                == "{\"new\": [], \"deleted\": []}")
    }
}
