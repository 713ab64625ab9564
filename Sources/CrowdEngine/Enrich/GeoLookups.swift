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
        typealias Path = GeoDatabase.Path
        func text(_ text: ByteSlice?) -> Value { .string(arena.copy(text ?? .empty)) }
        switch part {
        case .country: return text(record.text(Path.country.code))
        case .range: return record.network.map { .string(arena.copy($0.description)) } ?? .null
        case .system:
            return object([
                ("AutonomousSystemNumber", .int(Int64(record.number(.systemNumber) ?? 0))),
                ("AutonomousSystemOrganization", text(record.text(.systemName))),
            ])
        case .city:
            return object([
                ("City", object([("Names", object([("en", text(record.text(.city)))]))])),
                ("Continent", object([("Code", text(record.text(.continent)))])),
                ("Country", country(record, Path.country, text)),
                ("RegisteredCountry", country(record, Path.registeredCountry, text)),
                ("RepresentedCountry", country(record, Path.representedCountry, text)),
                (
                    "Location",
                    object([
                        ("Latitude", .float(record.number(.latitude) ?? 0)),
                        ("Longitude", .float(record.number(.longitude) ?? 0)),
                        ("TimeZone", text(record.text(.timeZone))),
                    ])
                ),
                ("Postal", object([("Code", text(record.text(.postalCode)))])),
            ])
        }
    }

    private func country(_ record: GeoDatabase.Record, _ paths: GeoDatabase.Path.Country, _ text: (ByteSlice?) -> Value)
        -> Value
    {
        object([
            ("IsoCode", text(record.text(paths.code))),
            ("IsInEuropeanUnion", .bool(record.bool(paths.isInEU))),
            ("Names", object([("en", text(record.text(paths.name)))])),
        ])
    }

    private func object(_ members: [(StaticString, Value)]) -> Value {
        let map = MapValue()
        for (name, value) in members { map.set(ByteSlice(name), value) }
        return .map(map)
    }
}
