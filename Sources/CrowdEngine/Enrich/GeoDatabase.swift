internal import CMaxMind
import CrowdCore

/// A MaxMind database, mapped into memory; any thread may look addresses up.
final class GeoDatabase: @unchecked Sendable {
    // Sendable: libmaxminddb only reads a database once it is open.
    private let handle: OpaquePointer

    init(path: String) throws(ConfigError) {
        var error = [CChar](repeating: 0, count: 200)
        guard let handle = crowd_mmdb_open(path, &error, error.count) else {
            let reason = String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw ConfigError("unable to open GeoIP database '\(path)': \(reason)")
        }
        self.handle = handle
    }

    deinit { crowd_mmdb_close(handle) }

    /// Where a value lies in a record: its keys, from the outside in, as C wants them. Never freed: there are as many as
    /// are named below.
    struct Path: @unchecked Sendable {
        // Sendable: nothing is written after `init`.
        fileprivate let keys: UnsafeMutablePointer<UnsafePointer<CChar>?>

        init(_ names: StaticString...) {
            keys = .allocate(capacity: names.count + 1)
            for (index, name) in names.enumerated() {
                (keys + index).initialize(to: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self))
            }
            (keys + names.count).initialize(to: nil)
        }
    }

    /// What the database says of an address. An address without an entry has a record without values. To be looked at
    /// while the database is there.
    struct Record {
        fileprivate let database: OpaquePointer
        fileprivate let entry: crowd_mmdb_entry
        let network: IPRange?

        /// The database's own bytes: they live as long as it does.
        func text(_ path: Path) -> ByteSlice? {
            guard entry.found != 0 else { return nil }
            var start: UnsafePointer<CChar>?
            var length: UInt32 = 0
            guard crowd_mmdb_text(database, entry.offset, path.keys, &start, &length) != 0, let start else {
                return nil
            }
            let bytes = UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self)
            return ByteSlice(base: bytes, count: Int(length))
        }

        func number(_ path: Path) -> Double? {
            var value = 0.0
            guard entry.found != 0, crowd_mmdb_number(database, entry.offset, path.keys, &value) != 0 else {
                return nil
            }
            return value
        }

        func bool(_ path: Path) -> Bool {
            var value: Int32 = 0
            guard entry.found != 0, crowd_mmdb_bool(database, entry.offset, path.keys, &value) != 0 else {
                return false
            }
            return value != 0
        }
    }

    /// nil when the look-up itself fails, as for IPv6 in a database of IPv4 networks.
    func record(of address: IPAddress) -> Record? {
        var entry = crowd_mmdb_entry()
        guard crowd_mmdb_lookup(handle, address.high, address.low, address.isV6 ? 1 : 0, &entry) != 0 else {
            return nil
        }
        let network = entry.found != 0 ? IPRange(address, prefixLength: Int(entry.netmask)) : nil
        return Record(database: handle, entry: entry, network: network)
    }
}

/// The paths that are read.
extension GeoDatabase.Path {
    /// Of a country that an address may have: its own, the registered one, the represented one.
    struct Country: Sendable {
        let code: GeoDatabase.Path
        let isInEU: GeoDatabase.Path
        let name: GeoDatabase.Path

        init(_ key: StaticString) {
            code = GeoDatabase.Path(key, "iso_code")
            isInEU = GeoDatabase.Path(key, "is_in_european_union")
            name = GeoDatabase.Path(key, "names", "en")
        }
    }
    static let country = Country("country")
    static let registeredCountry = Country("registered_country")
    static let representedCountry = Country("represented_country")
    static let city = GeoDatabase.Path("city", "names", "en")
    static let continent = GeoDatabase.Path("continent", "code")
    static let latitude = GeoDatabase.Path("location", "latitude")
    static let longitude = GeoDatabase.Path("location", "longitude")
    static let timeZone = GeoDatabase.Path("location", "time_zone")
    static let postalCode = GeoDatabase.Path("postal", "code")
    static let systemNumber = GeoDatabase.Path("autonomous_system_number")
    static let systemName = GeoDatabase.Path("autonomous_system_organization")
}
