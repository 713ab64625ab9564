public import CrowdCore

/// The operating system and feature flags a client told of itself; all empty until it did.
public struct ClientSystem: Sendable, Equatable {
    public var osName = ""
    public var osFamily = ""
    public var osVersion = ""
    /// Comma joined.
    public var featureFlags = ""

    public init() {}
}

/// A machine: an agent or a `cscli` that may log in.
public struct MachineRecord: Sendable, Equatable {
    public var id: Int64 = 0
    public var createdAt = Timestamp(nanoseconds: 0)
    public var updatedAt = Timestamp(nanoseconds: 0)
    public var lastPush: Timestamp?
    public var lastHeartbeat: Timestamp?
    public var machineID: String
    /// bcrypt.
    public var passwordHash: String
    public var ipAddress = ""
    /// Comma joined.
    public var scenarios = ""
    public var version = ""
    public var isValidated = false
    /// `password` or `tls`.
    public var authType = "password"
    public var system = ClientSystem()
    /// JSON texts, empty when the agent sent none.
    public var hubState = ""
    public var dataSources = ""

    public init(machineID: String, passwordHash: String) {
        self.machineID = machineID
        self.passwordHash = passwordHash
    }
}

/// What a machine may do. A limit belongs to a name: who deletes himself and registers anew still has it.
public enum MachineScope: String, Sendable, CaseIterable {
    /// Everything, as every machine of the reference.
    case full
    /// Send alerts without decisions of its own, and read. It deletes nothing.
    case alerts
}

public enum MachineQueries {
    private static let columns = """
        id, created_at, updated_at, last_push, last_heartbeat, machine_id, password, ip_address, scenarios, version, \
        is_validated, auth_type, osname, osfamily, osversion, featureflags, hubstate, datasources
        """

    public static func all(in session: any SQLSession) throws(StoreError) -> [MachineRecord] {
        try session.all("SELECT \(columns) FROM machines ORDER BY id", [], record)
    }

    public static func find(_ machineID: String, in session: any SQLSession) throws(StoreError) -> MachineRecord? {
        try session.first("SELECT \(columns) FROM machines WHERE machine_id = ?", [.text(machineID)], record)
    }

    // MARK: Scopes

    /// The names with a limit. A word of a newer version counts as the narrowest one of ours.
    public static func scopes(in session: any SQLSession) throws(StoreError) -> [String: MachineScope] {
        let rows = try session.all("SELECT machine_id, scope FROM crowd_machine_scopes", []) {
            ($0.text(0), MachineScope(rawValue: $0.text(1)) ?? .alerts)
        }
        return Dictionary(rows.filter { $0.1 != .full }, uniquingKeysWith: { first, _ in first })
    }

    public static func setScope(_ scope: MachineScope, of machineID: String, in session: any SQLSession)
        throws(StoreError)
    {
        try session.run("DELETE FROM crowd_machine_scopes WHERE machine_id = ?", [.text(machineID)])
        guard scope != .full else { return }
        try session.run(
            "INSERT INTO crowd_machine_scopes (machine_id, scope) VALUES (?,?)",
            [.text(machineID), .text(scope.rawValue)])
    }

    // MARK: Rows

    /// Fails with `.constraint` when the id is taken.
    public static func insert(_ machine: MachineRecord, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> MachineRecord
    {
        var stored = machine
        (stored.createdAt, stored.updatedAt) = (now, now)
        stored.id = try session.insert(
            """
            INSERT INTO machines (created_at, updated_at, machine_id, password, ip_address, is_validated, auth_type)
            VALUES (?,?,?,?,?,?,?) RETURNING id
            """,
            [
                .time(now), .time(now), .text(machine.machineID), .text(machine.passwordHash),
                .text(machine.ipAddress), .bool(machine.isValidated), .text(machine.authType),
            ])
        return stored
    }

    /// Writes what changes while a machine is used: times, address, scenarios, version. Another replica may know of a
    /// later push or heartbeat.
    public static func updateContact(_ machine: MachineRecord, in session: any SQLSession) throws(StoreError) {
        try session.run(
            """
            UPDATE machines SET updated_at = ?,
              last_push = CASE WHEN last_push IS NULL OR last_push < ? THEN ? ELSE last_push END,
              last_heartbeat = CASE WHEN last_heartbeat IS NULL OR last_heartbeat < ? THEN ? ELSE last_heartbeat END,
              ip_address = ?, scenarios = ?, version = ? WHERE machine_id = ?
            """,
            [
                .time(machine.updatedAt), .optional(machine.lastPush), .optional(machine.lastPush),
                .optional(machine.lastHeartbeat), .optional(machine.lastHeartbeat), .text(machine.ipAddress),
                .text(machine.scenarios), .text(machine.version), .text(machine.machineID),
            ])
    }

    /// Writes a row as it is: to see whether the database can be written.
    public static func rewriteOne(in session: any SQLSession) throws(StoreError) {
        try session.run(
            "UPDATE machines SET updated_at = updated_at WHERE id = (SELECT min(id) FROM machines)", [])
    }

    public static func updateSystem(_ machine: MachineRecord, in session: any SQLSession) throws(StoreError) {
        let system = machine.system
        try session.run(
            """
            UPDATE machines SET osname = ?, osfamily = ?, osversion = ?, featureflags = ?, version = ?, hubstate = ?,
              datasources = ? WHERE machine_id = ?
            """,
            [
                .text(system.osName), .text(system.osFamily), .text(system.osVersion), .text(system.featureFlags),
                .text(machine.version), .json(machine.hubState), .json(machine.dataSources), .text(machine.machineID),
            ])
    }

    /// False when there is no such machine.
    public static func setPassword(_ machineID: String, hash: String, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Bool
    {
        try session.run(
            "UPDATE machines SET password = ?, is_validated = TRUE, updated_at = ? WHERE machine_id = ?",
            [.text(hash), .time(now), .text(machineID)]) > 0
    }

    public static func validate(_ machineID: String, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Bool
    {
        try session.run(
            "UPDATE machines SET is_validated = TRUE, updated_at = ? WHERE machine_id = ?",
            [.time(now), .text(machineID)]) > 0
    }

    public static func delete(_ machineID: String, in session: any SQLSession) throws(StoreError) -> Bool {
        try session.run("DELETE FROM machines WHERE machine_id = ?", [.text(machineID)]) > 0
    }

    private static func record(_ row: any SQLRow) -> MachineRecord {
        var machine = MachineRecord(machineID: row.text(5), passwordHash: row.text(6))
        machine.id = row.int(0)
        machine.createdAt = row.time(1) ?? machine.createdAt
        machine.updatedAt = row.time(2) ?? machine.updatedAt
        machine.lastPush = row.time(3)
        machine.lastHeartbeat = row.time(4)
        machine.ipAddress = row.text(7)
        machine.scenarios = row.text(8)
        machine.version = row.text(9)
        machine.isValidated = row.bool(10)
        machine.authType = row.text(11)
        machine.system.osName = row.text(12)
        machine.system.osFamily = row.text(13)
        machine.system.osVersion = row.text(14)
        machine.system.featureFlags = row.text(15)
        machine.hubState = row.text(16)
        machine.dataSources = row.text(17)
        return machine
    }
}
