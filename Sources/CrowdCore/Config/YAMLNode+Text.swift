extension YAMLNode {
    /// The node as block-style YAML, for showing a merged configuration. Scalars that would read back as something
    /// else are quoted.
    public var yamlText: String {
        var out = ""
        write(to: &out, indent: 0)
        return out
    }

    private func write(to out: inout String, indent: Int) {
        switch content {
        case .scalar: out += flowText + "\n"
        case .sequence(let items):
            for item in items { item.writeEntry(to: &out, indent: indent, lead: "- ") }
        case .mapping(let pairs):
            for pair in pairs {
                out += String(repeating: " ", count: indent) + pair.key.flowText + ":"
                pair.value.writeValue(to: &out, indent: indent)
            }
        }
    }

    private func writeValue(to out: inout String, indent: Int) {
        if let short = shortText {
            out += (short.isEmpty ? "" : " ") + short + "\n"
        } else {
            out += "\n"
            write(to: &out, indent: indent + 2)
        }
    }

    private func writeEntry(to out: inout String, indent: Int, lead: String) {
        let pad = String(repeating: " ", count: indent)
        if let short = shortText {
            out += pad + lead + short + "\n"
            return
        }
        var inner = ""
        write(to: &inner, indent: indent + 2)
        out += pad + lead + inner.dropFirst(indent + 2)
    }

    /// The node on one line, if it fits there: a scalar or an empty collection.
    private var shortText: String? {
        switch content {
        case .scalar: flowText
        case .sequence(let items): items.isEmpty ? "[]" : nil
        case .mapping(let pairs): pairs.isEmpty ? "{}" : nil
        }
    }

    private var flowText: String {
        guard case .scalar(let text, let plain) = content else { return "" }
        if plain && (text.isEmpty || Self.isSafeUnquoted(text)) { return text }
        if !plain, Self.isSafeUnquoted(text), YAMLScalar.tag(text) == "str" { return text }
        return text.inDoubleQuotes
    }

    /// A text as a scalar that every reader takes for that text: in quotes where it could be a number, a date, a truth
    /// value or an operator to one of them.
    public static func scalarText(_ text: String) -> String {
        guard isSafeUnquoted(text), YAMLScalar.tag(text) == "str", let first = text.utf8.first else {
            return text.inDoubleQuotes
        }
        let mayBeNumber = "0123456789.+-=<".utf8.contains(first)
        return mayBeNumber ? text.inDoubleQuotes : text
    }

    private static func isSafeUnquoted(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        let unsafeStart =
            "-?:,[]{}#&*!|>'\"%@` ".utf8.contains(first)
            && !(first == UInt8(ascii: "-") && text.count > 1 && !text.hasPrefix("- "))
        guard !unsafeStart, last != UInt8(ascii: " "), last != UInt8(ascii: ":") else { return false }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return false }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) || !text.unicodeScalars.contains(where: \.isUnprintableInYAML) else {
            return false
        }
        return !zip(text.utf8, text.utf8.dropFirst()).contains {
            ($0 == UInt8(ascii: ":") && $1 == UInt8(ascii: " ")) || ($0 == UInt8(ascii: " ") && $1 == UInt8(ascii: "#"))
        }
    }
}
