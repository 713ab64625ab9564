import CrowdCore
import CrowdExpr

/// A field of `evt.Enriched`, its name resolved once; nil when there were too many names.
struct EnrichedKey: Sendable {
    private let key: FieldKey?

    init(_ name: String, _ table: KeyTable) { key = table.intern(name) }

    /// - Parameter value: must live as long as the event.
    func set(_ value: ByteSlice, _ event: Event) {
        if let key { event.enriched.set(key, value) }
    }

    func set(_ value: String, _ event: Event) { set(event.arena.copy(value), event) }
}

/// `GeoIpCity`: country, whether it is in the EU, coordinates (engine facts B.5).
struct CityLookup: AddressLookup {
    static let fields = ["IsoCode", "IsInEU", "Latitude", "Longitude"]
    let database: GeoDatabase

    func texts(of address: IPAddress, _ arena: Arena) -> [ByteSlice]? {
        guard let record = database.record(of: address) else { return nil }
        let (name, paths) = country(record)
        return [
            arena.copy(name), record.bool(paths.isInEU) ? ByteSlice("true") : ByteSlice("false"),
            Printing.sixDecimals(record.number(.latitude) ?? 0, arena),
            Printing.sixDecimals(record.number(.longitude) ?? 0, arena),
        ]
    }

    /// The first country that the record has a code for, and where the rest of it is found.
    private func country(_ record: GeoDatabase.Record) -> (ByteSlice, GeoDatabase.Path.Country) {
        typealias Path = GeoDatabase.Path
        if let code = record.text(Path.country.code) { return (code, Path.country) }
        if let code = record.text(Path.registeredCountry.code) { return (code, Path.registeredCountry) }
        return (record.text(Path.representedCountry.code) ?? .empty, Path.representedCountry)
    }
}

/// `GeoIpASN`: number and organisation; "0" and "" for an address that is not in the database.
struct SystemLookup: AddressLookup {
    static let fields = ["ASNNumber", "ASNumber", "ASNOrg"]
    let database: GeoDatabase

    func texts(of address: IPAddress, _ arena: Arena) -> [ByteSlice]? {
        guard let record = database.record(of: address) else { return nil }
        let digits = arena.decimal(Int64(record.number(.systemNumber) ?? 0))
        return [digits, digits, arena.copy(record.text(.systemName) ?? .empty)]
    }
}

/// `IpToRange`: the network of the address's ASN record; nothing when it has none.
struct NetworkLookup: AddressLookup {
    static let fields = ["SourceRange"]
    let database: GeoDatabase

    func texts(of address: IPAddress, _ arena: Arena) -> [ByteSlice]? {
        database.record(of: address)?.network.map { [arena.copy($0.description)] }
    }
}
