import CrowdCore

/// What a JSON body must look like, for the routes whose bodies are kept as they came.
///
/// `null` and an absent member are the same; unknown members are nobody's business.
indirect enum JSONForm: Sendable {
    struct Member: Sendable {
        var name: String
        var form: JSONForm
        var isRequired: Bool

        static func required(_ name: String, _ form: JSONForm) -> Self {
            Self(name: name, form: form, isRequired: true)
        }
        static func optional(_ name: String, _ form: JSONForm) -> Self {
            Self(name: name, form: form, isRequired: false)
        }
    }

    /// At most so many bytes.
    case text(Int)
    case integer
    case number
    case list(JSONForm)
    /// An object with any names.
    case map(JSONForm)
    case object([Member])

    /// - Throws: 400 for a value of the wrong kind, else 422 that lists what is missing or too long.
    func check(_ json: JSON) throws(Failure) {
        var problems: [String] = []
        try check(json, "", &problems)
        guard problems.isEmpty else {
            throw .invalid("validation failure list:\n" + problems.joined(separator: "\n"))
        }
    }

    /// Bodies nest no deeper than their forms.
    private func check(_ json: JSON, _ path: String, _ problems: inout [String]) throws(Failure) {
        guard problems.count < 100 else { return }
        switch (self, json) {
        case (_, .null): return
        case (.number, .number(let number)) where Double(number.text).map(\.isFinite) ?? false: return
        case (.integer, .number(let number)) where number.int != nil: return
        case (.text(let most), .string(let text)):
            if text.utf8.count > most { problems.append("\(path) in body should be at most \(most) chars long") }
        case (.list(let form), .array(let elements)):
            for (index, element) in elements.enumerated() {
                try form.check(element, Self.path(path, String(index)), &problems)
            }
        case (.map(let form), .object(let members)):
            for member in members { try form.check(member.value, Self.path(path, member.key), &problems) }
        case (.object(let members), .object):
            for member in members {
                let value = json[member.name] ?? .null
                let path = Self.path(path, member.name)
                if member.isRequired && value.isNull { problems.append("\(path) in body is required") }
                try member.form.check(value, path, &problems)
            }
        default: throw .badRequest("json: cannot unmarshal \(json.kindName) into \(path.isEmpty ? "the body" : path)")
        }
    }

    private static func path(_ path: String, _ name: String) -> String {
        path.isEmpty ? String(name.prefix(64)) : "\(path).\(name.prefix(64))"
    }
}

extension JSON {
    fileprivate var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .number(let number): "number \(number.text.prefix(20))"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
