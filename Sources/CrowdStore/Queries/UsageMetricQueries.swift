public import CrowdCore

/// Usage metrics that clients pushed, kept as they came until they are too old.
public enum UsageMetricQueries {
    public enum Source: String, Sendable {
        case logProcessor = "LP"
        case remediationComponent = "RC"
    }

    public static func insert(
        _ source: Source, from name: String, payload: String, at now: Timestamp, in session: any SQLSession
    ) throws(StoreError) {
        try session.run(
            "INSERT INTO metrics (generated_type, generated_by, received_at, payload) VALUES (?,?,?,?)",
            [.text(source.rawValue), .text(name), .time(now), .text(payload)])
    }

    /// The payloads kept of one kind of client, oldest first, with their sender.
    public static func all(_ source: Source, in session: any SQLSession)
        throws(StoreError) -> [(name: String, payload: String, receivedAt: Timestamp?)]
    {
        try session.all(
            "SELECT generated_by, payload, received_at FROM metrics WHERE generated_type = ? ORDER BY received_at",
            [.text(source.rawValue)]
        ) { ($0.text(0), $0.text(1), $0.time(2)) }
    }
}
