import CrowdCore
import CrowdStore

/// What bouncers told of their work in usage metrics (surface facts F.1): summed over the pushes that are kept, but the
/// last value for what is a state and no count.
struct BouncerMetrics {
    private struct Cell: Hashable {
        var metric: String
        var unit: String
    }

    private struct Bouncer {
        var since: Timestamp?
        /// By origin; an item without one counts for the bouncer as a whole.
        var values: [String: [Cell: Double]] = [:]
        /// The push in which a state was told last.
        var told: [String: [Cell: Int]] = [:]
    }

    static let type = "bouncers"
    static let title = "Bouncer Metrics"
    static let summary = "Network traffic blocked by bouncers."

    private var bouncers: [String: Bouncer] = [:]

    init(in database: any SQLConnection) throws(StoreError) {
        var push = 0
        for row in try UsageMetricQueries.all(.remediationComponent, in: database) {
            guard let payload = try? JSON.parse(Array(row.payload.utf8)) else { continue }
            for window in payload["metrics"]?.array ?? [] {
                push += 1
                add(window, push, of: row.name)
            }
        }
    }

    private mutating func add(_ window: JSON, _ push: Int, of name: String) {
        let time = window["meta"]?["utc_now_timestamp"]?.int ?? 0
        var bouncer = bouncers[name] ?? Bouncer()
        let at = Timestamp(seconds: time)
        bouncer.since = bouncer.since.map { min($0, at) } ?? at
        for item in window["items"]?.array ?? [] {
            guard let metric = item["name"]?.string, case .number(let number)? = item["value"] else { continue }
            let cell = Cell(metric: metric, unit: item["unit"]?.string ?? "")
            let origin = item["labels"]?["origin"]?.string ?? ""
            let isState = metric == "active_decisions" || metric.hasSuffix("_gauge")
            // Within one push, the parts of a state (one per address family) belong together.
            let startsOver = isState && bouncer.told[origin]?[cell] != push
            let before = startsOver ? 0 : bouncer.values[origin]?[cell] ?? 0
            bouncer.values[origin, default: [:]][cell] = before + number.double
            bouncer.told[origin, default: [:]][cell] = push
        }
        bouncers[name] = bouncer
    }

    var json: JSON {
        .object(
            bouncers.sorted { $0.key < $1.key }.map { name, bouncer in
                JSONMember(
                    name,
                    .object(
                        bouncer.values.sorted { $0.key < $1.key }.map { JSONMember($0.key, Self.json($0.value)) }))
            })
    }

    /// By metric, then by unit.
    private static func json(_ values: [Cell: Double]) -> JSON {
        let metrics = Set(values.keys.map(\.metric)).sorted()
        return .object(
            metrics.map { metric in
                let units = values.filter { $0.key.metric == metric }.sorted { $0.key.unit < $1.key.unit }
                return JSONMember(
                    metric, .object(units.map { JSONMember($0.key.unit, .number(JSONNumber($0.value))) }))
            })
    }

    /// One table for each bouncer that told something.
    func tables(units: Bool) -> [Table] {
        bouncers.sorted { $0.key < $1.key }.filter { !$0.value.values.isEmpty }.map { name, bouncer in
            let cells = Set(bouncer.values.values.flatMap(\.keys)).sorted {
                ($0.metric, $0.unit) < ($1.metric, $1.unit)
            }
            let since = bouncer.since.map { " since \($0.goString)" } ?? ""
            var table = Table([""] + cells.map { Self.plural($0.unit) }, title: "\(Self.title) (\(name))\(since)")
            table.groups = ["Origin"] + cells.map(\.metric)
            table.numbers = Set(1...max(cells.count, 1))
            for (origin, values) in bouncer.values.sorted(by: { $0.key < $1.key }) where !origin.isEmpty {
                table.rows.append([Self.shown(origin)] + cells.map { Self.number(values[$0], units: units) })
            }
            let sums = cells.map { cell in bouncer.values.values.reduce(0) { $0 + ($1[cell] ?? 0) } }
            table.footer = ["Total"] + sums.map { Self.number($0, units: units) }
            return table
        }
    }

    /// Nothing was told, or a number that may be zero.
    private static func number(_ value: Double?, units: Bool) -> String {
        guard let value else { return "-" }
        return value == 0 ? "0" : MetricsReport.Section.number(value, units: units)
    }

    /// Of the units that bouncers are known to tell; any other stays as it is.
    private static func plural(_ unit: String) -> String {
        switch unit {
        case "ip": "IPs"
        case "byte": "bytes"
        case "packet": "packets"
        default: unit
        }
    }

    private static func shown(_ origin: String) -> String {
        switch origin {
        case "CAPI": "CAPI (community blocklist)"
        case "cscli": "cscli (manual decisions)"
        case "crowdsec": "crowdsec (security engine)"
        default: origin
        }
    }
}
