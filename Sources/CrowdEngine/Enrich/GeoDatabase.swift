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

    /// What the database says of an address. An address without an entry has a record without values.
    struct Record {
        fileprivate let database: GeoDatabase
        fileprivate let entry: crowd_mmdb_entry
        let network: IPRange?

        func text(_ path: StaticString...) -> String? {
            guard entry.found != 0 else { return nil }
            return Record.withPath(path) { path in
                var start: UnsafePointer<CChar>?
                var length: UInt32 = 0
                guard crowd_mmdb_text(database.handle, entry.offset, path, &start, &length) != 0, let start else {
                    return nil
                }
                return start.withMemoryRebound(to: UInt8.self, capacity: Int(length)) {
                    String(decoding: UnsafeBufferPointer(start: $0, count: Int(length)), as: UTF8.self)
                }
            }
        }

        func number(_ path: StaticString...) -> Double? {
            guard entry.found != 0 else { return nil }
            return Record.withPath(path) { path in
                var value = 0.0
                return crowd_mmdb_number(database.handle, entry.offset, path, &value) != 0 ? value : nil
            }
        }

        func bool(_ path: StaticString...) -> Bool {
            guard entry.found != 0 else { return false }
            return Record.withPath(path) { path in
                var value: Int32 = 0
                return crowd_mmdb_bool(database.handle, entry.offset, path, &value) != 0 && value != 0
            }
        }

        private static func withPath<T>(
            _ path: [StaticString], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T
        ) -> T {
            let keys: [UnsafePointer<CChar>?] =
                path.map { UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self) } + [nil]
            return keys.withUnsafeBufferPointer { buffer in
                var none: UnsafePointer<CChar>?
                return withUnsafePointer(to: &none) { body(buffer.baseAddress ?? $0) }
            }
        }
    }

    /// nil when the look-up itself fails, as for IPv6 in a database of IPv4 networks.
    func record(of address: IPAddress) -> Record? {
        var entry = crowd_mmdb_entry()
        let bytes = address.networkBytes
        guard crowd_mmdb_lookup(handle, bytes, address.isV6 ? 1 : 0, &entry) != 0 else { return nil }
        let network = entry.found != 0 ? IPRange(address, prefixLength: Int(entry.netmask)) : nil
        return Record(database: self, entry: entry, network: network)
    }
}
