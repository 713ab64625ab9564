import CrowdCore

extension CrowdSecFunctions {
    /// Functions over GeoIP databases and name servers, and those that the reference has but nobody can use.
    static func network(_ resources: some ExprResources) -> [Function] {
        func geography(_ name: String, _ part: GeoPart, _ result: StaticType = .any) -> Function {
            Function(name, [.string], result, pure: false) { call throws(ValueError) in
                guard let address = IPAddress(ascii: try call.text(0).buffer) else {
                    return result == .string ? .string(.empty) : .null
                }
                let value = resources.geography(part, of: address, arena: call.arena)
                return value.isNull && result == .string ? .string(.empty) : value
            }
        }
        return [
            geography("GeoIPEnrich", .city), geography("GeoIPASNEnrich", .system),
            geography("GeoIPRangeEnrich", .range), geography("IPToCountry", .country, .string),
            Function("LookupHost", [.string], .list(.string), pure: false) { call throws(ValueError) in
                let found = resources.addresses(of: try call.string(0))
                return .list(ListValue(found.map { .string(call.arena.copy($0)) }))
            },
            Function("GetActiveDecisionsTimeLeft", [.string], .duration, pure: false) { call throws(ValueError) in
                .duration(resources.decisionTimeLeft(try call.string(0)) ?? .zero)
            },
            never("SetInStash", [.string, .string, .string, .any], "SetInStash cannot be called from an expression"),
            never("JsonExtractLib", [.string, .any], "JsonExtractLib cannot be called from an expression"),
        ]
    }

    private static func never(_ name: String, _ parameters: [StaticType], _ reason: String) -> Function {
        Function(name, parameters, required: 1, variadic: true, .any, pure: false) { _ throws(ValueError) in
            throw ValueError(reason)
        }
    }
}
