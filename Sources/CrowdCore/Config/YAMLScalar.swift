/// How go-yaml v2 reads unquoted scalars (YAML 1.1).
enum YAMLScalar {
    static func isNull(_ text: String) -> Bool {
        switch text {
        case "", "~", "null", "Null", "NULL": true
        default: false
        }
    }

    static func bool(_ text: String) -> Bool? {
        switch text {
        case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": true
        case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": false
        default: nil
        }
    }

    static func int(_ text: String) -> Int? {
        if let value = integerLiteral(text) { return value }
        guard let float = double(text), float == float.rounded(), abs(float) < 9.0e18 else { return nil }
        return Int(float)
    }

    static func double(_ text: String) -> Double? {
        switch text {
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .infinity
        case "-.inf", "-.Inf", "-.INF": return -.infinity
        case ".nan", ".NaN", ".NAN": return .nan
        default: break
        }
        if let value = integerLiteral(text) { return Double(value) }
        let digits = text.filter { $0 != "_" }
        guard let first = digits.utf8.first, "+-.0123456789".utf8.contains(first),
            digits.utf8.allSatisfy({ "+-.eE0123456789".utf8.contains($0) })
        else { return nil }
        return Double(digits)
    }

    /// The short tag of the type a plain scalar resolves to, for messages.
    static func tag(_ text: String) -> String {
        if isNull(text) { return "null" }
        if bool(text) != nil { return "bool" }
        if integerLiteral(text) != nil { return "int" }
        return double(text) != nil ? "float" : "str"
    }

    /// Decimal, `0x`, `0b`, `0o` and (with a leading zero) octal, `_` between digits.
    private static func integerLiteral(_ text: String) -> Int? {
        var digits = Substring(text)
        var sign = ""
        if let first = digits.first, first == "-" || first == "+" {
            sign = first == "-" ? "-" : ""
            digits = digits.dropFirst()
        }
        guard let first = digits.utf8.first, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9") else { return nil }
        let plain = digits.filter { $0 != "_" }
        for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)]
        where plain.hasPrefix(prefix) && plain.count > prefix.count {
            return Int(sign + plain.dropFirst(prefix.count), radix: radix)
        }
        return Int(sign + plain)
    }
}
