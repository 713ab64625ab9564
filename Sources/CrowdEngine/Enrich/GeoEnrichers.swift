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
struct CityEnricher: Enricher {
    private let database: GeoDatabase
    private let code, isInEU, latitude, longitude: EnrichedKey

    init(_ database: GeoDatabase, _ keys: KeyTable) {
        self.database = database
        code = EnrichedKey("IsoCode", keys)
        isInEU = EnrichedKey("IsInEU", keys)
        latitude = EnrichedKey("Latitude", keys)
        longitude = EnrichedKey("Longitude", keys)
    }

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = event.address(in: value), let record = database.record(of: address) else { return }
        let (name, paths) = country(record)
        code.set(event.arena.copy(name), event)
        isInEU.set(record.bool(paths.isInEU) ? ByteSlice("true") : ByteSlice("false"), event)
        latitude.set(Printing.sixDecimals(record.number(.latitude) ?? 0, event.arena), event)
        longitude.set(Printing.sixDecimals(record.number(.longitude) ?? 0, event.arena), event)
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
struct ASNEnricher: Enricher {
    private let database: GeoDatabase
    private let number, shortNumber, name: EnrichedKey

    init(_ database: GeoDatabase, _ keys: KeyTable) {
        self.database = database
        number = EnrichedKey("ASNNumber", keys)
        shortNumber = EnrichedKey("ASNumber", keys)
        name = EnrichedKey("ASNOrg", keys)
    }

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = event.address(in: value), let record = database.record(of: address) else { return }
        let digits = event.arena.decimal(Int64(record.number(.systemNumber) ?? 0))
        number.set(digits, event)
        shortNumber.set(digits, event)
        name.set(event.arena.copy(record.text(.systemName) ?? .empty), event)
    }
}

/// `IpToRange`: the network of the address's ASN record; nothing when it has none.
struct RangeEnricher: Enricher {
    private let database: GeoDatabase
    private let range: EnrichedKey

    init(_ database: GeoDatabase, _ keys: KeyTable) {
        self.database = database
        range = EnrichedKey("SourceRange", keys)
    }

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = event.address(in: value), let network = database.record(of: address)?.network else {
            return
        }
        range.set(network.description, event)
    }
}
