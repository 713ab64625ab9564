import CrowdCore
import CrowdEngine

/// Where a journal was left: in the answer to `journalctl --since @SECONDS`, behind `count` lines or more, the last of which
/// have these hashes.
struct JournalCursor: Equatable {
    /// The most lines that are kept to find the place again.
    static let mostHashes = 64
    private static let key: UInt64 = 0x6A6F_7572_6E61_6C21

    var seconds: Int64
    var count = 0
    /// In the order of the lines.
    var hashes: [UInt64]

    init(seconds: Int64, count: Int, hashes: [UInt64]) {
        self.seconds = seconds
        self.count = count
        self.hashes = hashes
    }

    /// `SECONDS/COUNT HASH HASH …`
    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard let numbers = parts.first?.split(separator: "/"), let seconds = Int64(numbers[0]) else { return nil }
        let count = numbers.count > 1 ? Int(numbers[1]) ?? 0 : 0
        let hashes = parts.dropFirst().prefix(Self.mostHashes).compactMap { UInt64($0, radix: 16) }
        self.init(seconds: seconds, count: count, hashes: hashes)
    }

    var text: String { (["\(seconds)/\(count)"] + hashes.map { String($0, radix: 16) }).joined(separator: " ") }

    static func hash(_ line: ByteSlice) -> UInt64 { line.hash(keyedBy: key) }
}
