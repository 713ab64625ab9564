import CrowdCore
import CrowdExpr

/// Names of enriched fields, resolved once.
struct EnrichedKeys: Sendable {
    let table: KeyTable

    func set(_ name: String, _ value: String, _ event: Event) {
        guard let key = table.intern(name) else { return }
        event.enriched.set(key, event.arena.copy(value))
    }
}

/// `GeoIpCity`: country, whether it is in the EU, coordinates (engine facts B.5).
struct CityEnricher: Enricher {
    let database: GeoDatabase
    let keys: EnrichedKeys

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = IPAddress(ascii: value.buffer), let record = database.record(of: address) else { return }
        let country = record.text("country", "iso_code")
        let registered = record.text("registered_country", "iso_code")
        let represented = record.text("represented_country", "iso_code")
        keys.set("IsoCode", country ?? registered ?? represented ?? "", event)
        let isInEU =
            country != nil
            ? record.bool("country", "is_in_european_union")
            : registered != nil
                ? record.bool("registered_country", "is_in_european_union")
                : record.bool("represented_country", "is_in_european_union")
        keys.set("IsInEU", isInEU ? "true" : "false", event)
        keys.set("Latitude", Printing.sixDecimals(record.number("location", "latitude") ?? 0), event)
        keys.set("Longitude", Printing.sixDecimals(record.number("location", "longitude") ?? 0), event)
    }
}

/// `GeoIpASN`: number and organisation; "0" and "" for an address that is not in the database.
struct ASNEnricher: Enricher {
    let database: GeoDatabase
    let keys: EnrichedKeys

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = IPAddress(ascii: value.buffer), let record = database.record(of: address) else { return }
        let number = String(Int64(record.number("autonomous_system_number") ?? 0))
        keys.set("ASNNumber", number, event)
        keys.set("ASNumber", number, event)
        keys.set("ASNOrg", record.text("autonomous_system_organization") ?? "", event)
    }
}

/// `IpToRange`: the network of the address's ASN record; nothing when it has none.
struct RangeEnricher: Enricher {
    let database: GeoDatabase
    let keys: EnrichedKeys

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = IPAddress(ascii: value.buffer), let network = database.record(of: address)?.network else {
            return
        }
        keys.set("SourceRange", network.description, event)
    }
}
