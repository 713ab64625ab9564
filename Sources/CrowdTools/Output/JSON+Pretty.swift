import CrowdCore

extension JSON {
    /// Indented by two spaces, as people and `jq` read it.
    var pretty: String {
        var text = ""
        append(to: &text, depth: 0)
        return text
    }

    /// As an element of a list that is printed piece by piece.
    var prettyElement: String {
        var text = ""
        append(to: &text, depth: 1)
        return "  " + text
    }

    private func append(to text: inout String, depth: Int) {
        let indent = String(repeating: "  ", count: depth + 1)
        let closing = "\n" + String(repeating: "  ", count: depth)
        switch self {
        case .array(let elements) where !elements.isEmpty:
            text += "["
            for (index, element) in elements.enumerated() {
                text += index == 0 ? "\n\(indent)" : ",\n\(indent)"
                element.append(to: &text, depth: depth + 1)
            }
            text += closing + "]"
        case .object(let members) where !members.isEmpty:
            text += "{"
            for (index, member) in members.enumerated() {
                text += (index == 0 ? "\n" : ",\n") + indent + JSON.string(member.key).compact + ": "
                member.value.append(to: &text, depth: depth + 1)
            }
            text += closing + "}"
        default: text += compact
        }
    }

    var compact: String {
        var writer = JSONWriter()
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    static func int(_ value: Int64) -> JSON { .number(JSONNumber(value)) }
    /// An object from a literal, in its order.
    static func members(_ members: KeyValuePairs<String, JSON>) -> JSON {
        .object(members.map { JSONMember($0.key, $0.value) })
    }
}
