import CrowdCore

/// A value of the wrong kind in an acquisition file, said as CrowdSec's reader of these files says it.
enum UnfitValue {
    private static let kinds = ["seq": "[]interface {}", "map": "map[string]interface {}", "str": "string"]
    private static let targets = ["string": "string", "int": "int", "bool": "bool", "list": "[]string"]

    /// - Parameter reading: what it says it was doing.
    /// - Returns: nil when the error is another one, or is about a value that is no key's of this document.
    static func sentence(_ error: ConfigError, in node: YAMLNode, reading: String) -> String? {
        let opening = "cannot unmarshal !!"
        guard error.message.hasPrefix(opening), let mark = error.mark,
            let entry = try? node.anyMapping().entries.first(where: { $0.value.mark == mark }),
            let kind = kinds[String(error.message.dropFirst(opening.count).prefix(3))],
            let target = error.message.split(separator: " ").last.flatMap({ targets[String($0)] })
        else { return nil }
        let field = entry.key.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        return "\(reading) [\(mark.line):\(mark.column)] cannot unmarshal \(kind) into Go struct field "
            + "Configuration.\(field) of type \(target)"
    }
}
