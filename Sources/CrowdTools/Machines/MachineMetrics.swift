import CrowdCore
import CrowdStore

/// What a machine told of its work in usage metrics, summed over the pushes that are kept (surface facts A.6).
struct MachineMetrics {
    /// By source (`file:/var/log/auth.log (syslog)`) and, for parsers, `stage/name`; then by metric.
    private var acquisition: [String: [String: Double]] = [:]
    private var parsers: [[String]: [String: Double]] = [:]

    private static let postoverflows = "Postoverflows"
    private static let postoverflowStages = ["s00-enrich", "s01-whitelist"]
    /// The column of a metric of a source.
    private static let acquisitionNames = [
        "read": "read", "global_parsed": "parsed", "global_unparsed": "unparsed", "parsed": "parsed",
        "unparsed": "unparsed",
    ]
    private static let acquisitionColumns = ["read", "parsed", "unparsed"]
    private static let parserColumns = ["parsed", "unparsed"]

    init(of machine: String, in database: any SQLConnection) throws(StoreError) {
        for row in try UsageMetricQueries.all(.logProcessor, in: database) where row.name == machine {
            let payload = try? JSON.parse(Array(row.payload.utf8))
            for window in payload?["metrics"]?.array ?? [] {
                for item in window["items"]?.array ?? [] { add(item) }
            }
        }
    }

    private mutating func add(_ item: JSON) {
        guard let name = item["name"]?.string, case .number(let value)? = item["value"] else { return }
        let labels = item["labels"]
        let type = labels?["datasource_type"]?.string ?? ""
        let acquisitionType = labels?["acquis_type"]?.string ?? ""
        let source =
            "\(type):\(labels?["source"]?.string ?? "")" + (acquisitionType.isEmpty ? "" : " (\(acquisitionType))")
        if let parser = labels?["parser_name"]?.string {
            let stage = labels?["parser_stage"]?.string ?? ""
            let place = Self.postoverflowStages.contains(stage) ? Self.postoverflows : source
            parsers[[place, "\(stage)/\(parser)"], default: [:]][name, default: 0] += value.double
        } else if let column = Self.acquisitionNames[name] {
            acquisition[source, default: [:]][column, default: 0] += value.double
        }
    }

    var tables: [Table] {
        var read = Table(["Source", "Read", "Parsed", "Unparsed"], title: "Acquisition Metrics")
        read.rows = acquisition.sorted { $0.key < $1.key }.map { source, values in
            [source] + Self.acquisitionColumns.map { Self.text(values[$0]) }
        }
        var parsed = Table(["Source", "Parser", "Parsed", "Unparsed"], title: "Parser Metrics")
        let isLast: ([String]) -> Int = { $0[0] == Self.postoverflows ? 1 : 0 }
        let sorted = parsers.sorted {
            isLast($0.key) != isLast($1.key)
                ? isLast($0.key) < isLast($1.key) : $0.key.lexicographicallyPrecedes($1.key)
        }
        parsed.rows = sorted.map { key, values in
            key + Self.parserColumns.map { Self.text(values[$0]) }
        }
        return [read, parsed].filter { !$0.rows.isEmpty }
    }

    private static func text(_ value: Double?) -> String {
        guard let value, value != 0 else { return "-" }
        return MetricsReport.Section.number(value, units: true)
    }

    var json: JSON {
        func object(_ values: [String: Double]) -> JSON {
            .object(values.sorted { $0.key < $1.key }.map { JSONMember($0.key, .number(JSONNumber($0.value))) })
        }
        return .members([
            "acquisition": .object(
                acquisition.sorted { $0.key < $1.key }.map { JSONMember($0.key, object($0.value)) }),
            "parsers": .object(
                parsers.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
                    JSONMember($0.key.joined(separator: " "), object($0.value))
                }),
        ])
    }
}
