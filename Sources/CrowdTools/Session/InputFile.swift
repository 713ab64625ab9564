import CrowdCore

/// What commands read: a file, or standard input for `-`.
enum InputFile {
    static let limit = 256 << 20

    static func read(_ path: String) throws(CommandError) -> [UInt8] {
        do { return try FileContents.read(path == "-" ? "/dev/stdin" : path, limit: limit) } catch {
            throw CommandError("unable to open \(path): \(error.message)")
        }
    }
}

/// RFC 4180 with a header line: each record as its cells by column name, unknown columns included.
enum CSVReader {
    /// - Throws: for a quote that is never closed, and a record with more cells than the header.
    static func rows(in bytes: [UInt8]) throws(CommandError) -> [[String: String]] {
        var records = try records(in: bytes)
        guard !records.isEmpty else { return [] }
        let header = records.removeFirst().map { $0.lowercased() }
        return records.map { cells in
            Dictionary(zip(header, cells)) { first, _ in first }
        }
    }

    /// Cells without the blanks around them; empty lines are skipped.
    private static func records(in bytes: [UInt8]) throws(CommandError) -> [[String]] {
        var records: [[String]] = []
        var record: [String] = []
        var cell: [UInt8] = []
        var isQuoted = false
        var index = 0
        func endCell() {
            record.append(trimmed(cell))
            cell.removeAll(keepingCapacity: true)
        }
        func endRecord() {
            endCell()
            if record != [""] { records.append(record) }
            record.removeAll(keepingCapacity: true)
        }
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\"") where isQuoted && index < bytes.count && bytes[index] == byte:
                cell.append(byte)
                index += 1
            case UInt8(ascii: "\""): isQuoted.toggle()
            case _ where isQuoted: cell.append(byte)
            case UInt8(ascii: ","): endCell()
            case UInt8(ascii: "\n"): endRecord()
            case UInt8(ascii: "\r"): continue
            default: cell.append(byte)
            }
        }
        guard !isQuoted else { throw CommandError("a quoted field is never closed") }
        if !cell.isEmpty || !record.isEmpty { endRecord() }
        return records
    }

    private static func trimmed(_ cell: [UInt8]) -> String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let start = cell.firstIndex { !isBlank($0) } ?? cell.endIndex
        let end = cell.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start
        return String(decoding: cell[start..<max(start, end)], as: UTF8.self)
    }
}
