import CrowdCore
import CrowdStore

/// The bouncers' rows with what they are looked up by: one key may be shared by thousands, each with a row of its own.
struct BouncerTable: Sendable {
    private struct Place: Hashable {
        var keyHash: String
        var address: String
    }

    private(set) var rows: [Int64: BouncerRecord] = [:]
    private var byKey: [String: [Int64]] = [:]
    private var byPlace: [Place: Int64] = [:]
    private var byName: [String: Int64] = [:]

    subscript(id: Int64) -> BouncerRecord? { rows[id] }
    subscript(name name: String) -> BouncerRecord? { byName[name].flatMap { rows[$0] } }

    /// False when there is a row with that id.
    @discardableResult
    mutating func insert(_ row: BouncerRecord) -> Bool {
        guard rows[row.id] == nil else { return false }
        rows[row.id] = row
        byKey[row.keyHash, default: []].append(row.id)
        byPlace[Place(keyHash: row.keyHash, address: row.ipAddress)] = row.id
        byName[row.name] = row.id
        return true
    }

    /// Changes a row, but not its key or name. False when it stays as it was.
    mutating func update(_ id: Int64, _ change: (inout BouncerRecord) -> Void) -> Bool {
        guard let before = rows[id] else { return false }
        var row = before
        change(&row)
        guard row != before else { return false }
        rows[id] = row
        if row.ipAddress != before.ipAddress {
            byPlace[Place(keyHash: before.keyHash, address: before.ipAddress)] = nil
            byPlace[Place(keyHash: row.keyHash, address: row.ipAddress)] = id
        }
        return true
    }

    /// Judges a key hash from a client address (protocol facts A.2.2).
    func judge(keyHash: String, client: String, isHead: Bool) -> ClientRegistry.KeyVerdict {
        if let own = byPlace[Place(keyHash: keyHash, address: client)].flatMap({ rows[$0] }) {
            return own.authType == "api-key" ? .known(own) : .refused
        }
        let usable = (byKey[keyHash] ?? []).filter { rows[$0]?.authType == "api-key" }
        guard let first = usable.min().flatMap({ rows[$0] }) else { return .refused }
        if isHead || (usable.count == 1 && first.ipAddress.isEmpty) { return .known(first) }
        var bouncer = BouncerRecord(name: "\(Self.baseName(first.name))@\(client)", keyHash: keyHash)
        bouncer.ipAddress = client
        bouncer.isAutoCreated = true
        return .newAddress(bouncer)
    }

    /// The name without the `@<address>` parts that automatic rows get.
    static func baseName(_ name: String) -> String {
        var name = name[...]
        while let at = name.lastIndex(of: "@"), IPAddress(name[name.index(after: at)...]) != nil { name = name[..<at] }
        return String(name)
    }
}
