public import CrowdCore

/// Which alerts are asked for (protocol facts A.6); times are absolute here.
public struct AlertFilter: Sendable, Equatable {
    public var scope: String?
    public var value: String?
    public var scenario: String?
    public var range: IPRange?
    /// True: decisions that cover `range`; false: decisions inside it.
    public var contains = true
    public var startedAfter: Timestamp?
    public var startedBefore: Timestamp?
    public var createdBefore: Timestamp?
    public var decisionType: String?
    public var origin: String?
    public var excludesCommunity = false
    public var hasActiveDecision: Bool?
    public var excludesSimulated = false
    public var kind: String?
    public var id: Int64?
    /// Zero is no limit.
    public var limit = 100
    public var ascending = false
    public var withDecisions = true

    public init() {}

    /// `WHERE` over the alerts table, empty when nothing is filtered.
    func condition(now: Timestamp) -> (sql: String, values: [SQLValue]) {
        var parts: [String] = []
        var values: [SQLValue] = []
        func add(_ sql: String, _ new: SQLValue...) {
            parts.append(sql)
            values += new
        }
        if let id { add("alerts.id = ?", .int(id)) }
        if let scope { add("source_scope = ?", .text(scope)) }
        if let value { add("source_value = ?", .text(value)) }
        if let scenario {
            add("(alerts.scenario = ? OR \(decided("d.scenario = ?")))", .text(scenario), .text(scenario))
        }
        if let startedAfter { add("started_at >= ?", .time(startedAfter)) }
        if let startedBefore { add("started_at <= ?", .time(startedBefore)) }
        if let createdBefore { add("alerts.created_at <= ?", .time(createdBefore)) }
        if let decisionType { add(decided("d.type = ?"), .text(decisionType)) }
        if let origin { add(decided("d.origin = ?"), .text(origin)) }
        if let kind { add("kind = ?", .text(kind)) }
        if excludesSimulated { parts.append("alerts.simulated = FALSE") }
        if let hasActiveDecision {
            if hasActiveDecision {
                add(decided("d.until >= ?"), .time(now))
            } else {
                parts.append("NOT \(decided("TRUE"))")
            }
        }
        if excludesCommunity { parts.append(notCommunity) }
        if let range {
            let inside = NumericRange(range).condition(covering: contains)
            parts.append(decided(inside.sql))
            values += inside.values
        }
        return (parts.isEmpty ? "" : " WHERE " + parts.joined(separator: " AND "), values)
    }

    private func decided(_ condition: String) -> String {
        "EXISTS (SELECT 1 FROM decisions d WHERE d.alert_decisions = alerts.id AND \(condition))"
    }

    private var notCommunity: String {
        """
        NOT \(decided("d.origin IN ('CAPI', 'lists')")) AND NOT (NOT \(decided("TRUE")) AND \
        (source_scope = 'crowdsecurity/community-blocklist' OR source_scope LIKE 'lists:%'))
        """
    }
}
