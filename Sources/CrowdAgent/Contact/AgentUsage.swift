public import CrowdCore
import CrowdLAPI

/// The body of an agent's `POST /v1/usage-metrics` (protocol facts A.11 and E, surface facts F.2): what it reads with which
/// items, and what was counted since the last report that arrived.
public struct AgentUsage: Sendable {
    /// An installed item, as the hub knows it.
    public struct Item: Sendable {
        public var name: String
        public var version: String
        public var status: String

        public init(name: String, version: String, status: String) {
            self.name = name
            self.version = version
            self.status = status
        }
    }

    /// What is read and with what; both may change with a reload.
    public struct Inventory: Sendable {
        /// How many acquisitions there are of each source.
        public var dataSources: [String: Int] = [:]
        /// Of each type, the ones without an item too, in the hub's order.
        public var items: [(type: String, items: [Item])] = []
        public init() {}
    }

    public static let window = GoDuration.seconds(1_800)
    /// A node within a parser: its parser tells of it.
    private static let childPrefix = "child-"

    /// One figure with its labels, in the order in which they are told.
    private struct Figure: Hashable {
        var name: String
        var unit: String
        var labels: [String]
    }

    private let metrics: Metrics
    private let started: Timestamp
    private var told: [Figure: Double] = [:]
    private var telling: [Figure: Double] = [:]

    public init(_ metrics: Metrics, started: Timestamp = .now()) {
        self.metrics = metrics
        self.started = started
    }

    /// The last body arrived: what it told is not told again.
    public mutating func arrived() { told = telling }

    public mutating func body(_ inventory: Inventory, now: Timestamp = .now(), system: SystemRelease = .current())
        -> [UInt8]
    {
        telling = figures()
        var writer = JSONWriter(capacity: 4_096)
        writer.beginObject()
        writer.key("remediation_components")
        writer.null()
        writer.key("log_processors")
        writer.beginArray()
        writer.beginObject()
        writer.key("datasources")
        writer.beginObject()
        for (source, count) in inventory.dataSources.sorted(by: { $0.key < $1.key }) {
            writer.key(source)
            writer.int(count)
        }
        writer.endObject()
        writer.member("feature_flags", [String]())
        write(inventory.items, to: &writer)
        writeMetrics(now, to: &writer)
        system.write(to: &writer, withFamily: false)
        writer.member("utc_startup_timestamp", started.seconds)
        writer.member("version", SuiteVersion.current)
        writer.endObject()
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private func write(_ types: [(type: String, items: [Item])], to writer: inout JSONWriter) {
        writer.key("hub_items")
        writer.beginObject()
        for (type, items) in types {
            writer.key(type)
            writer.beginArray()
            for item in items {
                writer.beginObject()
                writer.member("name", item.name)
                writer.member("status", item.status)
                writer.member("version", item.version)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
    }

    private func writeMetrics(_ now: Timestamp, to writer: inout JSONWriter) {
        writer.usageMetrics(at: now, window: Self.window) { writer in
            for (figure, value) in telling.sorted(by: {
                ($0.key.name, $0.key.labels.joined()) < ($1.key.name, $1.key.labels.joined())
            }) {
                let difference = value - (told[figure] ?? 0)
                if difference > 0 { write(figure, difference, to: &writer) }
            }
        }
    }

    private func write(_ figure: Figure, _ value: Double, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("labels")
        writer.beginObject()
        for index in stride(from: 0, to: figure.labels.count, by: 2) {
            writer.key(figure.labels[index])
            writer.string(figure.labels[index + 1])
        }
        writer.endObject()
        writer.member("name", figure.name)
        writer.member("unit", figure.unit)
        writer.member("value", Int64(value))
        writer.endObject()
    }

    // MARK: figures

    private func figures() -> [Figure: Double] {
        var figures: [Figure: Double] = [:]
        // Of syslog what was understood counts as read.
        for name in [
            MetricName.fileSourceHits, .journalSourceHits, .dockerSourceHits, .httpSourceHits, .syslogSourceParsed,
        ] {
            add(name, as: "read", unit: "line", to: &figures)
        }
        add(.parserHitsOK, as: "global_parsed", unit: "line", to: &figures)
        add(.parserHitsKO, as: "global_unparsed", unit: "line", to: &figures)
        add(.nodeHitsOK, as: "parsed", unit: "line", node: "parser", to: &figures)
        add(.nodeHitsKO, as: "unparsed", unit: "line", node: "parser", to: &figures)
        add(.nodeWhitelistHitsOK, as: "whitelisted", unit: "event", node: "whitelist", to: &figures)
        return figures
    }

    private func add(
        _ metric: MetricName, as name: String, unit: String, node: String? = nil, to figures: inout [Figure: Double]
    ) {
        for sample in metrics.samples(metric) {
            let labels = Dictionary(sample.labels.map { ($0.name, $0.value) }) { first, _ in first }
            var told = [
                // The engine calls a source's module its type.
                "datasource_type", labels["datasource_type"] ?? labels["type"] ?? "", "source",
                labels["source"] ?? labels["src"] ?? "", "acquis_type", labels["acquis_type"] ?? "",
            ]
            if let node {
                guard let inner = labels["name"], !inner.hasPrefix(Self.childPrefix) else { continue }
                told += ["\(node)_name", inner, "\(node)_stage", labels["stage"] ?? ""]
            }
            figures[Figure(name: name, unit: unit, labels: told), default: 0] += sample.value
        }
    }
}
