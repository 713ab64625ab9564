import CrowdCore
import CrowdStore

extension DecisionSearch {
    /// Reads the query of `GET /v1/decisions` and of the stream (protocol facts A.7); unknown names are ignored.
    init(_ query: QueryParameters) throws(Failure) {
        self.init()
        filter.scope = query.list("scope")?.map(Scope.normalized)
        filter.scopes = query.list("scopes")?.map(Scope.normalized)
        filter.value = query["value"]
        filter.type = query["type"]
        filter.origins = query.list("origins")
        filter.scenariosContaining = query.list("scenarios_containing")?.map { $0.lowercased() }
        filter.scenariosNotContaining = query.list("scenarios_not_containing")?.map { $0.lowercased() }
        filter.includesSimulated = query["simulated"].map { $0 != "false" } ?? false
        filter.deduplicates = query["dedup"] != "false"
        if let text = query["ip"] ?? query["range"] {
            guard let range = IPRange(unmapping: text) else { throw .server("invalid ip address '\(text)'") }
            filter.range = range
        }
        if let text = query["contains"] {
            guard let contains = GoValue.bool(text) else {
                throw .server("invalid contains value : strconv.ParseBool: parsing \"\(text)\": invalid syntax")
            }
            filter.contains = contains
        }
        if let text = query["limit"] { limit = try Self.integer("limit", text) }
        if let text = query["offset"] { offset = max(0, try Self.integer("offset", text)) }
        if let text = query["id_gt"] { afterID = Int64(try Self.integer("id_gt", text)) }
    }

    private static func integer(_ name: String, _ text: String) throws(Failure) -> Int {
        guard let integer = Int(text) else {
            throw .server("invalid \(name) value : strconv.Atoi: parsing \"\(text)\": invalid syntax")
        }
        return integer
    }
}

/// Which active decisions `DELETE /v1/decisions` ends (protocol facts A.9).
struct DecisionDeletion: Sendable {
    var filter: DecisionFilter
    var scenario: String?
    var uuids: [String] = []

    init(_ query: QueryParameters) throws(Failure) {
        filter = DecisionFilter()
        (filter.includesSimulated, filter.deduplicates) = (true, false)
        for (name, value) in query.pairs {
            switch name {
            // The reference knows `scopes` only, and refuses what its own documentation calls `scope`.
            case "scopes", "scope": filter.scopes = [Scope.normalized(value)]
            case "uuid": uuids.append(value)
            case "origin": filter.origins = [value]
            case "value": filter.value = value
            case "type": filter.type = value
            case "scenario": scenario = value
            case "ip", "range":
                guard let range = IPRange(unmapping: value) else { throw .server("invalid ip address '\(value)'") }
                filter.range = range
            case "contains":
                guard let contains = GoValue.bool(value) else {
                    throw .server("strconv.ParseBool: parsing \"\(value)\": invalid syntax")
                }
                filter.contains = contains
            default: throw .server("'\(name)' doesn't exist: invalid filter")
            }
        }
    }
}
