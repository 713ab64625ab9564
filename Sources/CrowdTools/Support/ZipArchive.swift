import CrowdCore

/// A zip archive in memory: files stored as they are, UTF-8 names. For archives well below 4 GB.
struct ZipArchive {
    private(set) var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0
    private let stamp: (time: UInt16, date: UInt16)

    /// - Parameter time: of all its files.
    init(at time: Timestamp) {
        let civil = time.utc.civil
        stamp = (
            UInt16(civil.hour << 11 | civil.minute << 5 | civil.second / 2),
            UInt16(max(0, civil.year - 1980) << 9 | civil.month << 5 | civil.day)
        )
    }

    mutating func add(_ name: String, _ content: [UInt8]) {
        let offset = bytes.count
        let path = Array(name.utf8)
        let fields = Self.fields(content, path, stamp)
        bytes += Self.number(0x0403_4B50, 4) + fields + path + content
        directory += Self.number(0x0201_4B50, 4) + Self.number(20, 2) + fields
        // No comment, first disk, no attributes but the mode of a private file.
        directory += Self.number(0, 6) + Self.number(0o100600 << 16, 4) + Self.number(offset, 4) + path
        count += 1
    }

    func finished() -> [UInt8] {
        bytes + directory + Self.number(0x0605_4B50, 4) + Self.number(0, 4) + Self.number(count, 2)
            + Self.number(count, 2) + Self.number(directory.count, 4) + Self.number(bytes.count, 4)
            + Self.number(0, 2)
    }

    /// What local header and directory have in common.
    private static func fields(
        _ content: [UInt8], _ path: [UInt8], _ stamp: (time: UInt16, date: UInt16)
    ) -> [UInt8] {
        // Version 2.0, names in UTF-8, stored.
        number(20, 2) + number(0x0800, 2) + number(0, 2) + number(Int(stamp.time), 2) + number(Int(stamp.date), 2)
            + number(Int(Checksum.crc32(content)), 4) + number(content.count, 4) + number(content.count, 4)
            + number(path.count, 2) + number(0, 2)
    }

    /// Little endian.
    private static func number(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
