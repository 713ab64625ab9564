import CrowdCore

/// The configuration under the reference's own field names: what `config show --key` and `-o json` speak of.
indirect enum ConfigTree: Sendable {
    case absent
    case text(String)
    case number(Int)
    case bool(Bool)
    /// A boolean that may be missing: shown with an `&`.
    case boolPointer(Bool)
    case list([ConfigTree])
    /// A number that has a name in JSON.
    case named(Int, String)
    /// - json: keys of fields that are called otherwise there.
    case section(type: String, fields: [(name: String, value: ConfigTree)], json: [String: String] = [:])

    static func optional(_ text: String?) -> ConfigTree { .text(text ?? "") }
    static func texts(_ texts: [String]) -> ConfigTree { .list(texts.map { .text($0) }) }

    /// The value below `Config.A.B`; nil where no such field exists. What lies below an absent section is absent.
    subscript(path: ArraySlice<Substring>) -> ConfigTree? {
        guard let name = path.first else { return self }
        switch self {
        case .absent: return .absent
        case .section(_, let fields, _): return fields.first { $0.name == name }?.value[path.dropFirst()]
        default: return nil
        }
    }

    /// Go's name of the type, for messages.
    var typeName: String {
        switch self {
        case .section(let type, _, _): "*csconfig.\(type)"
        case .text: "string"
        case .number, .named: "int"
        case .bool: "bool"
        case .boolPointer: "*bool"
        case .list: "[]string"
        case .absent: "nil"
        }
    }

    /// As a script reads it: texts bare, everything else in Go's notation.
    var shown: String {
        if case .text(let text) = self { return text }
        return notation(indent: 0)
    }

    private func notation(indent: Int) -> String {
        switch self {
        case .absent: return "nil"
        case .text(let text): return JSON.string(text).compact
        case .number(let number), .named(let number, _): return String(number)
        case .bool(let bool): return String(bool)
        case .boolPointer(let bool): return "&\(bool)"
        case .list(let items):
            let inner = items.map { Self.pad(indent + 1) + $0.notation(indent: indent + 1) + ",\n" }.joined()
            return inner.isEmpty ? "[]string{}" : "[]string{\n\(inner)\(Self.pad(indent))}"
        case .section(let type, let fields, _):
            let inner = fields.map { name, value in
                "\(Self.pad(indent + 1))\(name): \(value.notation(indent: indent + 1)),\n"
            }.joined()
            return "&csconfig.\(type){\n\(inner)\(Self.pad(indent))}"
        }
    }

    private static func pad(_ indent: Int) -> String { String(repeating: "  ", count: indent) }

    var json: JSON {
        switch self {
        case .absent: .null
        case .text(let text): .string(text)
        case .number(let number): .int(Int64(number))
        case .bool(let bool), .boolPointer(let bool): .bool(bool)
        case .list(let items): .array(items.map(\.json))
        case .named(_, let name): .string(name)
        case .section(_, let fields, let keys):
            .object(fields.map { JSONMember(keys[$0.name] ?? $0.name, $0.value.json) })
        }
    }
}
