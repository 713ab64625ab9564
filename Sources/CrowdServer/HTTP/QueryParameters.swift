import CrowdCore

/// The query of a URI as Go reads it: `+` is a space, a repeated name counts by its first value, bad escapes and
/// semicolons drop the pair.
struct QueryParameters: Sendable {
    private(set) var pairs: [(name: String, value: String)] = []

    init(_ query: some StringProtocol) {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) where !pair.contains(UInt8(ascii: ";")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = parts.count == 2 ? PercentEncoding.decode(parts[1], plusIsSpace: true) : ""
            else { continue }
            pairs.append((name, value))
        }
    }

    /// The first value given, or nil.
    subscript(_ name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// As `subscript`, with an empty value taken for none.
    func nonEmpty(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }

    func list(_ name: String) -> [String]? {
        nonEmpty(name).map { $0.split(separator: ",", omittingEmptySubsequences: false).map { String($0) } }
    }

    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }
}

/// Values as Go's parsers take them.
enum GoValue {
    static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "0", "f", "F", "FALSE", "false", "False": false
        default: nil
        }
    }
}
