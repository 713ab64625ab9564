import CrowdCore

/// Reads the decisions of a file; what an item does not say comes from the command line.
struct DecisionFile {
    private let duration: String
    private let scope: String
    private let reason: String
    private let type: String

    init(defaults flags: FlagValues) {
        (duration, scope) = (flags.text("duration"), flags.text("scope"))
        (reason, type) = (flags.text("reason"), flags.text("type"))
    }

    func read(_ bytes: [UInt8], as format: DecisionImport.Format) throws(CommandError) -> [Decision] {
        switch format {
        case .values: return values(bytes)
        case .csv: return try decisions(from: try CSVReader.rows(in: bytes))
        case .json: return try decisions(from: try objects(bytes))
        }
    }

    private func values(_ bytes: [UInt8]) -> [Decision] {
        bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            guard let start = line.firstIndex(where: { !isBlank($0) }),
                let end = line.lastIndex(where: { !isBlank($0) })
            else { return nil }
            return decision(String(decoding: line[start...end], as: UTF8.self))
        }
    }

    private func objects(_ bytes: [UInt8]) throws(CommandError) -> [[String: String]] {
        let json: JSON
        do { json = try JSON.parse(bytes) } catch { throw CommandError("\(error)") }
        guard let items = json.array else {
            throw CommandError(
                "json: cannot unmarshal \(json.kindName) into Go value of type []clidecision.decisionRaw")
        }
        return items.map { item in
            guard case .object(let members) = item else { return [:] }
            return Dictionary(members.compactMap { member in member.value.string.map { (member.key, $0) } }) { $1 }
        }
    }

    private func decisions(from items: [[String: String]]) throws(CommandError) -> [Decision] {
        var decisions: [Decision] = []
        decisions.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let value = item["value"], !value.isEmpty else {
                throw CommandError("item \(index): missing 'value'")
            }
            decisions.append(
                decision(
                    value, duration: item["duration"], scope: item["scope"], reason: item["reason"], type: item["type"])
            )
        }
        return decisions
    }

    private func decision(
        _ value: String, duration: String? = nil, scope: String? = nil, reason: String? = nil, type: String? = nil
    ) -> Decision {
        func given(_ text: String?, or fallback: String) -> String {
            text.flatMap { $0.isEmpty ? nil : $0 } ?? fallback
        }
        return Decision(
            origin: "cscli-import", type: given(type, or: self.type),
            scope: AlertQuery.scope(given(scope, or: self.scope)), value: value,
            scenario: given(reason, or: self.reason), duration: given(duration, or: self.duration))
    }
}

extension JSON {
    /// Go's word for the kind of value.
    fileprivate var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
