import CrowdHub

/// `Version.Check("12.4", ">= 11, < 13")`: comma means and, `||` means or.
enum VersionConstraint {
    private static let operators = [">=", "<=", "!=", "==", ">", "<", "=", "~", "^"]

    /// nil where version or constraint cannot be read.
    static func holds(_ version: String, _ constraint: String) -> Bool? {
        guard let version = ItemVersion(version) else { return nil }
        var result = false
        for alternative in constraint.split(separator: "||") {
            var all = true
            for part in alternative.split(separator: ",") {
                guard let one = holds(version, part.drop { $0 == " " }) else { return nil }
                all = all && one
            }
            result = result || all
        }
        return result
    }

    private static func holds(_ version: ItemVersion, _ part: Substring) -> Bool? {
        let sign = operators.first { part.hasPrefix($0) } ?? ""
        let text = part.dropFirst(sign.count).split(separator: " ").joined()
        guard let bound = ItemVersion(text) else { return nil }
        return switch sign {
        case ">=": version >= bound
        case "<=": version <= bound
        case ">": version > bound
        case "<": version < bound
        case "!=": version != bound
        case "~": version >= bound && version < bound.next(keeping: min(2, text.split(separator: ".").count))
        case "^": version >= bound && version < bound.next(keeping: 1)
        default: version == bound
        }
    }
}
