public import CrowdCore

/// A decision about to be stored with its alert.
public struct NewDecision: Sendable {
    public var decision: Decision
    public var until: Timestamp
    /// nil for scopes that are no addresses.
    public var range: IPRange?

    public init(_ decision: Decision, until: Timestamp, range: IPRange?) {
        self.decision = decision
        self.until = until
        self.range = range
    }
}

/// An alert about to be stored: checked, normalised and judged by the profiles.
public struct NewAlert: Sendable {
    public var alert: Alert
    /// nil for an alert that no machine sent (central API).
    public var machineRow: Int64?
    public var startedAt: Timestamp
    public var stoppedAt: Timestamp
    public var decisions: [NewDecision]

    public init(
        _ alert: Alert, machineRow: Int64?, startedAt: Timestamp, stoppedAt: Timestamp, decisions: [NewDecision]
    ) {
        self.alert = alert
        self.machineRow = machineRow
        self.startedAt = startedAt
        self.stoppedAt = stoppedAt
        self.decisions = decisions
    }
}

/// A decision as it lies in the database.
public struct DecisionRecord: Sendable, Equatable {
    public var id: Int64
    public var createdAt: Timestamp
    public var until: Timestamp
    public var scenario: String
    public var type: String
    public var scope: String
    public var value: String
    public var origin: String
    public var simulated: Bool
    public var uuid: String
    public var alertID: Int64

    public init(
        id: Int64, createdAt: Timestamp, until: Timestamp, scenario: String, type: String, scope: String, value: String,
        origin: String, simulated: Bool, uuid: String, alertID: Int64
    ) {
        self.id = id
        self.createdAt = createdAt
        self.until = until
        self.scenario = scenario
        self.type = type
        self.scope = scope
        self.value = value
        self.origin = origin
        self.simulated = simulated
        self.uuid = uuid
        self.alertID = alertID
    }

    static let columns =
        "id, created_at, until, scenario, type, scope, value, origin, simulated, uuid, alert_decisions"

    init(_ row: any SQLRow) {
        self.init(
            id: row.int(0), createdAt: row.time(1) ?? Timestamp(nanoseconds: 0),
            until: row.time(2) ?? Timestamp(nanoseconds: 0), scenario: row.text(3), type: row.text(4),
            scope: row.text(5), value: row.text(6), origin: row.text(7), simulated: row.bool(8), uuid: row.text(9),
            alertID: row.int(10))
    }
}

/// What an insert gave: a known alert (same UUID, same machine) is answered with its old id and no new decisions.
public struct StoredAlert: Sendable {
    public var id: Int64
    public var isNew: Bool
    public var decisions: [DecisionRecord]
}
