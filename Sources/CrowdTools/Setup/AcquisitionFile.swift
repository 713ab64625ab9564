import CrowdCore

/// A file in acquis.d that `setup` has written: it carries a checksum, so that what somebody changed is noticed.
struct AcquisitionFile {
    let path: String
    let text: String

    init(_ item: SetupDocument.Item, fileName: String, source: YAMLNode, directory: String) {
        path = "\(directory)/setup.\(fileName)"
        let body = source.yamlText
        text =
            """
            # Written by "cscli setup" for the service \(item.service.filter { !$0.isNewline }).
            # A later setup replaces it as long as the checksum holds; to keep changes, use a file of another name.
            # cscli-checksum: \(Self.checksum(body))


            """ + body
    }

    /// Of everything from the first line that is neither a comment nor blank.
    static func checksum(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let body = lines.drop { line in line.allSatisfy(\.isWhitespace) || line.first { $0 != " " } == "#" }
        return Hex.encode(Array(Digest.sha256(Array(body.joined(separator: "\n").utf8)).prefix(16)))
    }

    /// Nobody has touched the file since it was written.
    static func isGenuine(_ text: String) -> Bool {
        let mark = "# cscli-checksum: "
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(mark) }) else { return false }
        return line.dropFirst(mark.count).filter { !$0.isWhitespace } == checksum(text)
    }

    /// What lies there now.
    var present: String? { (try? FileContents.read(path)).map { String(decoding: $0, as: UTF8.self) } }
}
