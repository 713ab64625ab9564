import CrowdCore
import CrowdExpr

/// `GeoIPEnrich` and its kin: records of the databases as expressions see them (engine facts D.5).
struct GeoLookups {
    var city: GeoDatabase?
    var system: GeoDatabase?

    func value(_ part: GeoPart, of address: IPAddress, arena: Arena) -> Value {
        let database =
            switch part {
            case .city, .country: city
            case .system, .range: system
            }
        guard let record = database?.record(of: address) else { return .null }
        func text(_ text: String?) -> Value { .string(arena.copy(text ?? "")) }
        switch part {
        case .country: return text(record.text("country", "iso_code"))
        case .range: return record.network.map { text($0.description) } ?? .null
        case .system:
            return object([
                ("AutonomousSystemNumber", .int(Int64(record.number("autonomous_system_number") ?? 0))),
                ("AutonomousSystemOrganization", text(record.text("autonomous_system_organization"))),
            ])
        case .city:
            return object([
                ("City", object([("Names", object([("en", text(record.text("city", "names", "en")))]))])),
                ("Continent", object([("Code", text(record.text("continent", "code")))])),
                ("Country", country(record, "country", text)),
                ("RegisteredCountry", country(record, "registered_country", text)),
                ("RepresentedCountry", country(record, "represented_country", text)),
                (
                    "Location",
                    object([
                        ("Latitude", .float(record.number("location", "latitude") ?? 0)),
                        ("Longitude", .float(record.number("location", "longitude") ?? 0)),
                        ("TimeZone", text(record.text("location", "time_zone"))),
                    ])
                ),
                ("Postal", object([("Code", text(record.text("postal", "code")))])),
            ])
        }
    }

    private func country(_ record: GeoDatabase.Record, _ key: StaticString, _ text: (String?) -> Value) -> Value {
        object([
            ("IsoCode", text(record.text(key, "iso_code"))),
            ("IsInEuropeanUnion", .bool(record.bool(key, "is_in_european_union"))),
            ("Names", object([("en", text(record.text(key, "names", "en")))])),
        ])
    }

    private func object(_ members: [(StaticString, Value)]) -> Value {
        let map = MapValue()
        for (name, value) in members { map.set(ByteSlice(name), value) }
        return .map(map)
    }
}
