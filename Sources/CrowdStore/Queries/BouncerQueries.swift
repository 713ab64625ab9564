public import CrowdCore

/// A bouncer as one client address knows it: a key shared by several hosts has one row for each.
public struct BouncerRecord: Sendable, Equatable {
    public var id: Int64 = 0
    public var createdAt = Timestamp(nanoseconds: 0)
    public var updatedAt = Timestamp(nanoseconds: 0)
    public var name: String
    /// SHA-512 of the key in lower-case hexadecimal.
    public var keyHash: String
    public var isRevoked = false
    public var ipAddress = ""
    public var type = ""
    public var version = ""
    /// Start of the last pull that was delivered completely; nil before the first.
    public var lastPull: Timestamp?
    /// `api-key` or `tls`.
    public var authType = "api-key"
    public var system = ClientSystem()
    public var isAutoCreated = false

    public init(name: String, keyHash: String) {
        self.name = name
        self.keyHash = keyHash
    }

    /// What the database keeps of a key.
    public static func hash(ofKey key: String) -> String { Hex.encode(Digest.sha512(key.utf8)) }
}

public enum BouncerQueries {
    private static let columns = """
        id, created_at, updated_at, name, api_key, revoked, ip_address, type, version, last_pull, auth_type, osname, \
        osfamily, osversion, featureflags, auto_created
        """

    public static func all(in session: any SQLSession) throws(StoreError) -> [BouncerRecord] {
        try session.all("SELECT \(columns) FROM bouncers ORDER BY id", [], record)
    }

    public static func find(_ name: String, in session: any SQLSession) throws(StoreError) -> BouncerRecord? {
        try session.first("SELECT \(columns) FROM bouncers WHERE name = ?", [.text(name)], record)
    }

    /// Fails with `.constraint` when the name is taken.
    public static func insert(_ bouncer: BouncerRecord, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> BouncerRecord
    {
        var stored = bouncer
        (stored.createdAt, stored.updatedAt) = (now, now)
        stored.id = try session.insert(
            """
            INSERT INTO bouncers (created_at, updated_at, name, api_key, revoked, ip_address, type, version, auth_type,
              auto_created) VALUES (?,?,?,?,?,?,?,?,?,?) RETURNING id
            """,
            [
                .time(now), .time(now), .text(bouncer.name), .text(bouncer.keyHash), .bool(bouncer.isRevoked),
                .text(bouncer.ipAddress), .text(bouncer.type), .text(bouncer.version), .text(bouncer.authType),
                .bool(bouncer.isAutoCreated),
            ])
        return stored
    }

    /// Writes what changes while a bouncer is used: address, type, version, last pull.
    public static func updateContact(_ bouncer: BouncerRecord, at now: Timestamp, in session: any SQLSession)
        throws(StoreError)
    {
        try session.run(
            "UPDATE bouncers SET updated_at = ?, ip_address = ?, type = ?, version = ?, last_pull = ? WHERE id = ?",
            [
                .time(now), .text(bouncer.ipAddress), .text(bouncer.type), .text(bouncer.version),
                .optional(bouncer.lastPull), .int(bouncer.id),
            ])
    }

    public static func updateSystem(_ bouncer: BouncerRecord, in session: any SQLSession) throws(StoreError) {
        let system = bouncer.system
        try session.run(
            "UPDATE bouncers SET osname = ?, osfamily = ?, osversion = ?, featureflags = ?, version = ? WHERE id = ?",
            [
                .text(system.osName), .text(system.osFamily), .text(system.osVersion), .text(system.featureFlags),
                .text(bouncer.version), .int(bouncer.id),
            ])
    }

    public static func delete(id: Int64, in session: any SQLSession) throws(StoreError) {
        try session.run("DELETE FROM bouncers WHERE id = ?", [.int(id)])
    }

    private static func record(_ row: any SQLRow) -> BouncerRecord {
        var bouncer = BouncerRecord(name: row.text(3), keyHash: row.text(4))
        bouncer.id = row.int(0)
        bouncer.createdAt = row.time(1) ?? bouncer.createdAt
        bouncer.updatedAt = row.time(2) ?? bouncer.updatedAt
        bouncer.isRevoked = row.bool(5)
        bouncer.ipAddress = row.text(6)
        bouncer.type = row.text(7)
        bouncer.version = row.text(8)
        bouncer.lastPull = row.time(9)
        bouncer.authType = row.text(10)
        bouncer.system.osName = row.text(11)
        bouncer.system.osFamily = row.text(12)
        bouncer.system.osVersion = row.text(13)
        bouncer.system.featureFlags = row.text(14)
        bouncer.isAutoCreated = row.bool(15)
        return bouncer
    }
}
