public import CrowdCore

extension AlertInsertion {
    /// Stores the alerts of one request in order. What the database will never take of one alert costs the others nothing:
    /// they are stored, and that one's error is given in its place. Any other error is about all of them and thrown.
    public static func insert(_ alerts: some Collection<NewAlert>, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> [Result<StoredAlert, StoreError>]
    {
        do {
            return try session.savepoint { () throws(StoreError) in
                var stored: [Result<StoredAlert, StoreError>] = []
                stored.reserveCapacity(alerts.count)
                for alert in alerts { stored.append(.success(try insert(alert, at: now, in: session))) }
                return stored
            }
        } catch {
            guard error.isAboutTheRow else { throw error }
        }
        var outcomes: [Result<StoredAlert, StoreError>] = []
        for alert in alerts { outcomes.append(try outcome(of: alert, at: now, in: session)) }
        return outcomes
    }

    private static func outcome(of alert: NewAlert, at now: Timestamp, in session: any SQLSession)
        throws(StoreError) -> Result<StoredAlert, StoreError>
    {
        do {
            return .success(
                try session.savepoint { () throws(StoreError) in try insert(alert, at: now, in: session) })
        } catch {
            guard error.isAboutTheRow else { throw error }
            guard error.kind == .constraint, let row = alert.machineRow,
                try session.first("SELECT id FROM machines WHERE id = ?", [.int(row)], { $0.int(0) }) == nil
            else { return .failure(error) }
            // Its machine was deleted a moment ago, which loses no alert.
            var orphan = alert
            orphan.machineRow = nil
            return try outcome(of: orphan, at: now, in: session)
        }
    }
}
