public import CrowdCore

/// What a running bouncer says about itself: what was decided, and what the kernel has of it at this moment.
public struct BouncerStatus: Equatable, Sendable {
    /// Elements that the decisions ask for; ranges that overlap are merged.
    public var decided = 0
    /// Elements that the kernel has.
    public var enforced = 0
    /// Differences between the two just now, tables, chains and rules included. They are repaired within two seconds
    /// of a change, or `verify_interval`.
    public var drift = 0
    /// Elements that the kernel refused in the last comparison.
    public var refused = 0
    /// Differences repaired since the start, the first list of decisions not counted.
    public var repaired = 0
    /// When the kernel was last compared with the decisions and repaired.
    public var lastVerified: Timestamp?
    /// Whether a complete list of decisions has come since the start.
    public var hasDecisions = false
    public var localAPI = ""
    /// When the Local API last answered.
    public var lastAnswer: Timestamp?
    /// Why the Local API does not answer.
    public var trouble: String?
    /// The Local API has been silent for longer than `outage_after`.
    public var isAway = false
    /// Why the kernel refused elements, or could not be read.
    public var cause: String?
    /// When the decisions were last written to the disk.
    public var lastSnapshot: Timestamp?

    /// What is decided is what is enforced.
    public var isProven: Bool { hasDecisions && drift == 0 && refused == 0 }
    /// It is, and it is kept up to date.
    public var isHealthy: Bool { isProven && !isAway }

    /// For systemd's status line.
    var sentence: String {
        if refused > 0 { return "FAILED: the kernel refuses \(refused) of \(decided) elements: \(cause ?? "")" }
        if isAway { return "FAILED: the Local API has been silent for long: \(trouble ?? "no answer")" }
        if let trouble { return "Decisions are not updated, bans stay in force until they expire: \(trouble)" }
        guard hasDecisions else { return "Waiting for the Local API; sets found in the kernel stay in force" }
        return "Enforcing \(enforced) elements"
    }

    public init() {}

    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("proven")
        writer.bool(isProven)
        for (name, value) in figures {
            writer.key(name)
            writer.int(value)
        }
        writer.member("decisions_received", hasDecisions)
        writer.member("local_api_away", isAway)
        writer.member("healthy", isHealthy)
        for (name, text) in texts {
            writer.key(name)
            if let text { writer.string(text) } else { writer.null() }
        }
        writer.endObject()
        return writer.bytes
    }

    /// For people.
    public var text: String {
        let verdict =
            !hasDecisions
            ? "no complete list of decisions yet; what the kernel holds from before stays in force"
            : !isProven
                ? "the kernel DIFFERS from what is decided"
                : isAway
                    ? "the kernel enforces what was decided, but the Local API has been SILENT for long"
                    : "the kernel enforces what is decided"
        let rows = figures.map { ($0.0, "\($0.1)") } + texts.map { ($0.0, $0.1 ?? "-") }
        return "\(verdict)\n"
            + rows.map { row in
                let name = row.0.split(separator: "_").joined(separator: " ")
                return "  \(name)\(String(repeating: " ", count: max(1, 15 - name.utf8.count)))\(row.1)\n"
            }.joined()
    }

    private var figures: [(String, Int)] {
        [("decided", decided), ("enforced", enforced), ("drift", drift), ("refused", refused), ("repaired", repaired)]
    }

    private var texts: [(String, String?)] {
        [
            ("last_verified", lastVerified?.rfc3339), ("local_api", localAPI), ("last_answer", lastAnswer?.rfc3339),
            ("last_snapshot", lastSnapshot?.rfc3339), ("trouble", trouble), ("cause", cause),
        ]
    }

    /// Reads what `json` wrote.
    public init(_ json: JSON) {
        func figure(_ key: String) -> Int { Int(json[key]?.int ?? 0) }
        func time(_ key: String) -> Timestamp? { json[key]?.string.flatMap { Timestamp(rfc3339: $0) } }
        (decided, enforced, drift) = (figure("decided"), figure("enforced"), figure("drift"))
        (refused, repaired) = (figure("refused"), figure("repaired"))
        (lastVerified, lastAnswer) = (time("last_verified"), time("last_answer"))
        hasDecisions = json["decisions_received"]?.bool ?? false
        localAPI = json["local_api"]?.string ?? ""
        isAway = json["local_api_away"]?.bool ?? false
        lastSnapshot = time("last_snapshot")
        (trouble, cause) = (json["trouble"]?.string, json["cause"]?.string)
    }
}
