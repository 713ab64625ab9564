import CrowdCore
import CrowdStore

extension AlertFilter {
    /// Reads the query of an alert search (protocol facts A.6); what is unknown or wrong is refused with 500.
    init(_ query: QueryParameters, now: Timestamp) throws(Failure) {
        self.init()
        var seen: Set<String> = []
        for (name, value) in query.pairs where seen.insert(name).inserted {
            try take(name, value, now: now)
        }
        if origin != nil { excludesCommunity = false }
    }

    private mutating func take(_ name: String, _ value: String, now: Timestamp) throws(Failure) {
        switch name {
        case "scope": scope = Scope.normalized(value)
        case "value": self.value = value
        case "scenario": scenario = value
        case "ip", "range": range = try Self.range(value)
        case "contains": contains = try Self.bool(name, value)
        case "since": startedAfter = now - (try Self.duration(value))
        case "until": startedBefore = now - (try Self.duration(value))
        case "created_before": createdBefore = now - (try Self.duration(value))
        case "decision_type": decisionType = value
        case "origin": origin = value
        case "include_capi": excludesCommunity = !(try Self.bool(name, value))
        case "has_active_decision": hasActiveDecision = try Self.bool(name, value)
        case "simulated": excludesSimulated = value == "false"
        case "kind": kind = value
        case "limit": limit = try Self.integer(name, value)
        case "sort": ascending = value == "ASC"
        case "with_decisions": withDecisions = value != "false"
        default: throw .server("filter parameter '\(name)' is unknown (=\(value)): invalid filter")
        }
    }

    private static func range(_ text: String) throws(Failure) -> IPRange {
        guard let range = IPRange(unmapping: text) else { throw .server("invalid ip address '\(text)'") }
        return range
    }

    private static func bool(_ name: String, _ text: String) throws(Failure) -> Bool {
        guard let bool = GoValue.bool(text) else {
            throw .server("invalid \(name) value : strconv.ParseBool: parsing \"\(text)\": invalid syntax")
        }
        return bool
    }

    private static func duration(_ text: String) throws(Failure) -> GoDuration {
        guard let duration = GoDuration(text, allowingDays: true) else {
            throw .server("while parsing duration: time: invalid duration \"\(text)\"")
        }
        return duration
    }

    private static func integer(_ name: String, _ text: String) throws(Failure) -> Int {
        guard let integer = Int(text) else {
            throw .server("bad \(name) in parameters: strconv.Atoi: parsing \"\(text)\": invalid syntax")
        }
        return max(0, integer)
    }
}
