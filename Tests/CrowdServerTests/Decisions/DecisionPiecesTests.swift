import CrowdCore
import CrowdStore
import NIOCore
import Testing

@testable import CrowdServer

@Suite("Stream bodies") struct DecisionPiecesTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    /// `active` decisions and `ended` ones, told from the start.
    private static func body(active: Int, ended: Int) -> [ByteBuffer] {
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
        let json = try JSON.parse(pieces.flatMap { Array(buffer: $0) })
        #expect(json["new"]?.array?.count == active && json["deleted"]?.array?.count == ended)
        #expect(pieces.allSatisfy { $0.readableBytes > 0 && $0.readableBytes < DecisionPieces.pieceSize + 512 })
    }

    @Test(arguments: [
        ("192.0.2.1", "11111111-2222-4333-8444-0123456789ab", 1),
        ("2001:db8::1", "ffffffff-ffff-4fff-bfff-fedcba987654", 4_611_686_018_427_387_904),
        ("quote \" and \\ and \u{1}", "00000000-0000-4000-8000-000000000000", 99),
        ("Ünïcode 🙂", "", 100), ("", "no uuid", 1000),
    ])
    func keepWhatTheyAreGiven(value: String, uuid: String, id: Int64) throws {
        var book = DecisionBook()
        book.add(
            DecisionRecord(
                id: id, createdAt: Self.now, until: Self.now + .seconds(90), scenario: "s", type: "ban",
                scope: "Session", value: value, origin: "cscli", simulated: false, uuid: uuid, alertID: 1),
            now: Self.now)
        let text = String(buffer: DecisionView(book, now: Self.now).encodeArray([0]))
        let decision = try #require(try JSON.parse(Array(text.utf8)).array?.first)
        #expect(decision["value"]?.string == value && decision["id"]?.int == id)
        #expect(decision["uuid"]?.string == (uuid.count == 36 ? uuid : nil))
        #expect(decision["duration"]?.string == "1m30s" && decision["scope"]?.string == "Session")
    }

    @Test func emptyIsAsTheReferenceWritesIt() {
        #expect(
            Self.body(active: 0, ended: 0).map { String(buffer: $0) }.joined()
                == "{\"new\": [], \"deleted\": []}")
    }
}
