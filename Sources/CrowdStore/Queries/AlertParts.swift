public import CrowdCore

/// The rows that belong to an alert, or some of them.
public struct AlertRows: Sendable {
    var events: ArraySlice<AlertEvent>
    var meta: ArraySlice<MetaItem>
    var decisions: ArraySlice<NewDecision>
    var simulated: Bool

    init(_ new: NewAlert) {
        (events, meta, decisions) = (new.alert.events[...], new.alert.meta[...], new.decisions[...])
        simulated = new.alert.simulated
    }

    var weight: Int { events.count + meta.count + Self.perDecision * decisions.count }

    /// A decision changes several indexes at random places.
    private static let perDecision = 4

    /// Takes the first rows away, of about that weight.
    fileprivate mutating func takeFirst(_ weight: Int) -> AlertRows {
        var first = self
        first.events = events.prefix(weight)
        first.meta = meta.prefix(weight - first.events.count)
        first.decisions = decisions.prefix((weight - first.events.count - first.meta.count) / Self.perDecision)
        events = events.dropFirst(first.events.count)
        meta = meta.dropFirst(first.meta.count)
        decisions = decisions.dropFirst(first.decisions.count)
        return first
    }
}

extension NewAlert {
    /// What one transaction takes: a quarter of a second at a million decisions. All others wait that long.
    static let mostWeight = 20_000

    /// An alert of its own costs as much as some twenty events.
    private var weight: Int { AlertRows(self).weight + 20 }

    /// Whether it is to be stored in parts.
    public var isLong: Bool { weight > Self.mostWeight }

    /// Alerts in their order, as many at a time as one transaction takes; a long one stands alone.
    public static func portions(of alerts: [NewAlert]) -> [ArraySlice<NewAlert>] {
        var portions: [ArraySlice<NewAlert>] = []
        var (start, sum) = (0, 0)
        for (index, alert) in alerts.enumerated() {
            let weight = alert.weight
            if index > start, sum + weight > mostWeight {
                portions.append(alerts[start..<index])
                (start, sum) = (index, 0)
            }
            sum += weight
        }
        if start < alerts.count { portions.append(alerts[start...]) }
        return portions
    }

    /// Its rows, as many at a time as one transaction takes.
    public var parts: [AlertRows] {
        var left = AlertRows(self)
        var parts: [AlertRows] = []
        while left.weight > 0 { parts.append(left.takeFirst(Self.mostWeight)) }
        return parts
    }

    /// The alert without its rows, to be stored first: `UnfinishedAlerts`.
    public var beginning: NewAlert {
        var beginning = self
        beginning.alert.uuid = UnfinishedAlerts.mark + SecureRandom.uuid()
        (beginning.alert.events, beginning.alert.meta, beginning.decisions) = ([], [], [])
        return beginning
    }
}

/// Alerts that are stored over several transactions.
///
/// (1) Until the last one an alert has another UUID: whoever sends it again meanwhile does not find it.
/// (2) What a crash leaves of it is known by that, and removed by the flush.
public enum UnfinishedAlerts {
    static let mark = "unfinished "

    /// Gives the alert its UUID; when one with that UUID has been stored meanwhile, it is that one that counts.
    public static func finish(_ id: Int64, as new: NewAlert, in session: any SQLSession) throws(StoreError)
        -> StoredAlert
    {
        if let known = try AlertInsertion.known(new, in: session) { return known }
        let changed = try session.run(
            "UPDATE alerts SET uuid = ? WHERE id = ?", [.text(new.alert.uuid), .int(id)])
        guard changed == 1 else { throw StoreError(.constraint, "the alert was deleted while it was stored") }
        return StoredAlert(id: id, isNew: true, decisions: [])
    }

    public static func all(createdBefore limit: Timestamp, in session: any SQLSession) throws(StoreError) -> [Int64] {
        try session.all(
            "SELECT id FROM alerts WHERE uuid LIKE '\(mark)%' AND created_at < ? ORDER BY id", [.time(limit)]
        ) { $0.int(0) }
    }
}
