import CrowdCore

/// The regular files of a tar archive in memory (ustar, with pax and GNU long names); links and devices are left out.
///
/// Bounded by the archive's own size: a file's bytes are a slice of it.
struct TarArchive: Sendable {
    private(set) var files: [String: ArraySlice<UInt8>] = [:]

    private static let block = 512

    /// - Parameter bytes: plain or gzipped.
    init(_ bytes: [UInt8], name: String, limit: Int = RemoteHub.maxDataBytes) throws(HubError) {
        var bytes = bytes
        if bytes.starts(with: [0x1F, 0x8B]) {
            guard let plain = Gzip.decompress(bytes, limit: limit) else {
                throw .file("\(name): not a gzip file, or larger than \(limit) bytes unpacked")
            }
            bytes = plain
        }
        var at = 0
        var longName: String?
        while at + Self.block <= bytes.count {
            let header = bytes[at..<(at + Self.block)]
            if header.allSatisfy({ $0 == 0 }) { return }
            guard Self.hasValidSum(header), let size = Self.octal(header, 124, 12),
                size <= bytes.count - at - Self.block
            else { throw .file("\(name): not a tar archive, or cut off, at byte \(at)") }
            let start = at + Self.block
            let content = bytes[start..<(start + size)]
            at = start + (size + Self.block - 1) / Self.block * Self.block
            switch header[header.startIndex + 156] {
            case UInt8(ascii: "L"): longName = Self.text(content)
            case UInt8(ascii: "x"): longName = Self.paxPath(content) ?? longName
            case UInt8(ascii: "g"): continue
            case UInt8(ascii: "0"), 0:
                let path = longName ?? Self.headerPath(header)
                longName = nil
                files[path.hasPrefix("./") ? String(path.dropFirst(2)) : path] = content
            default: longName = nil
            }
        }
    }

    private static func headerPath(_ header: ArraySlice<UInt8>) -> String {
        let base = header.startIndex
        let name = text(header[base..<(base + 100)])
        let isUstar = text(header[(base + 257)..<(base + 262)]) == "ustar"
        let prefix = isUstar ? text(header[(base + 345)..<(base + 500)]) : ""
        return prefix.isEmpty ? name : "\(prefix)/\(name)"
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func octal(_ header: ArraySlice<UInt8>, _ offset: Int, _ length: Int) -> Int? {
        let digits = text(header[(header.startIndex + offset)..<(header.startIndex + offset + length)])
        return Int(digits.filter { $0 != " " }, radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }

    /// The sum of the header's bytes, its own field taken as blanks.
    private static func hasValidSum(_ header: ArraySlice<UInt8>) -> Bool {
        let field = (header.startIndex + 148)..<(header.startIndex + 156)
        let sum = header.indices.reduce(0) { $0 + (field.contains($1) ? 32 : Int(header[$1])) }
        return octal(header, 148, 8) == sum
    }

    /// `path` of a pax header: records of `LENGTH KEY=VALUE\n`.
    private static func paxPath(_ content: ArraySlice<UInt8>) -> String? {
        for record in content.split(separator: 10) {
            guard let space = record.firstIndex(of: 32) else { continue }
            let body = String(decoding: record[(space + 1)...], as: UTF8.self)
            if body.hasPrefix("path=") { return String(body.dropFirst(5)) }
        }
        return nil
    }
}

/// Writes what `TarArchive` reads: regular files, names up to 255 bytes.
struct TarWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ path: String, _ content: some Collection<UInt8>) throws(HubError) {
        var header = [UInt8](repeating: 0, count: 512)
        let (prefix, name) = try Self.split(path)
        func put(_ text: String, _ offset: Int) {
            header.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        put(name, 0)
        put("0000644", 100)
        put("0000000", 108)
        put("0000000", 116)
        put(Self.octal(content.count, 11), 124)
        put("00000000000", 136)
        put("        ", 148)
        put("0", 156)
        put("ustar", 257)
        put("00", 263)
        put(prefix, 345)
        put(Self.octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0", 148)
        bytes += header
        bytes += content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    private static func octal(_ value: Int, _ width: Int) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// A long path is cut at a slash into prefix and name.
    private static func split(_ path: String) throws(HubError) -> (String, String) {
        let bytes = Array(path.utf8)
        if bytes.count <= 100 { return ("", path) }
        let cut = bytes.indices.last { bytes[$0] == UInt8(ascii: "/") && $0 <= 155 && bytes.count - $0 - 1 <= 100 }
        guard let cut else { throw .file("\(path): name too long for an archive") }
        return (
            String(decoding: bytes[..<cut], as: UTF8.self), String(decoding: bytes[(cut + 1)...], as: UTF8.self)
        )
    }
}
