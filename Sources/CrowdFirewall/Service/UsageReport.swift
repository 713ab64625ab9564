internal import CrowdCore
import CrowdLAPI

/// The body of `POST /v1/usage-metrics` (protocol facts A.11, F.7): what is active, what was dropped and processed since the
/// last report, and of ours whether what was decided is enforced. A name that ends in `_gauge` tells a state to `cscli`.
struct UsageReport: Sendable {
    static let window = GoDuration.seconds(900)

    private let started: Timestamp
    private var last: [String: FirewallMetrics.Traffic] = [:]
    private var lastRepaired = 0

    init(started: Timestamp) { self.started = started }

    mutating func body(
        decided: [(origin: String, family: Family, count: Int)], traffic: [FirewallMetrics.Traffic],
        status: BouncerStatus, now: Timestamp, system: SystemRelease = .current()
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        writer.beginObject()
        writer.key("log_processors")
        writer.null()
        writer.key("remediation_components")
        writer.beginArray()
        writer.beginObject()
        writer.member("feature_flags", [String]())
        writer.usageMetrics(at: now, window: Self.window) { writer in
            for entry in decided {
                item("active_decisions", "ip", UInt64(entry.count), entry.family, entry.origin, to: &writer)
            }
            for entry in traffic { counted(entry, to: &writer) }
            proof(status, to: &writer)
        }
        system.write(to: &writer)
        writer.member("utc_startup_timestamp", started.seconds)
        writer.member("version", SuiteVersion.current)
        writer.member("type", "crowdsec-firewall-bouncer")
        writer.endObject()
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private mutating func proof(_ status: BouncerStatus, to writer: inout JSONWriter) {
        let states = [("decided", status.decided), ("enforced", status.enforced), ("drift", status.drift)]
        for (name, value) in states + [("refused", status.refused)] {
            item(name + "_gauge", "element", UInt64(max(0, value)), nil, nil, to: &writer)
        }
        item("repaired", "element", UInt64(max(0, status.repaired - lastRepaired)), nil, nil, to: &writer)
        lastRepaired = status.repaired
    }

    /// Differences; after a reset of the kernel's counters, what they show.
    private mutating func counted(_ entry: FirewallMetrics.Traffic, to writer: inout JSONWriter) {
        let key = "\(entry.family.label) \(entry.origin ?? "")"
        let before = last.updateValue(entry, forKey: key)
        let name = entry.origin == nil ? "processed" : "dropped"
        let bytes = Self.difference(entry.bytes, before?.bytes)
        let packets = Self.difference(entry.packets, before?.packets)
        item(name, "byte", bytes, entry.family, entry.origin, to: &writer)
        item(name, "packet", packets, entry.family, entry.origin, to: &writer)
    }

    private static func difference(_ now: UInt64, _ before: UInt64?) -> UInt64 {
        guard let before, before <= now else { return now }
        return now - before
    }

    private func item(
        _ name: String, _ unit: String, _ value: UInt64, _ family: Family?, _ origin: String?,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("labels")
        writer.beginObject()
        if let family { writer.member("ip_type", family.label) }
        if let origin { writer.member("origin", origin) }
        writer.endObject()
        writer.member("name", name)
        writer.member("unit", unit)
        writer.member("value", value)
        writer.endObject()
    }
}
