import CrowdCore
import CrowdHTTP

/// The tables of `cscli metrics`: each row is a key, each column sums one metric.
struct MetricsReport {
    struct Section: Sendable {
        var type: String
        var title: String
        var keyColumns: [(header: String, label: String)]
        /// A metric for each number column.
        var columns: [(header: String, metrics: [String])]
        var usesUnits = true
    }

    static let sections: [Section] = [
        Section(
            type: "acquisition", title: "Acquisition Metrics", keyColumns: [("Source", "source")],
            columns: [
                ("Lines read", ["cs_filesource_hits_total"]), ("Lines parsed", ["cs_parser_hits_ok_total"]),
                ("Lines unparsed", ["cs_parser_hits_ko_total"]),
                ("Lines poured to bucket", ["cs_bucket_poured_total"]),
                ("Lines whitelisted", ["cs_node_wl_hits_ok_total"]),
            ]),
        Section(
            type: "parsers", title: "Parser Metrics", keyColumns: [("Parsers", "name")],
            columns: [
                ("Hits", ["cs_node_hits_total"]), ("Parsed", ["cs_node_hits_ok_total"]),
                ("Unparsed", ["cs_node_hits_ko_total"]),
            ]),
        Section(
            type: "scenarios", title: "Scenario Metrics", keyColumns: [("Scenario", "name")],
            columns: [
                ("Current Count", ["cs_buckets"]), ("Overflows", ["cs_bucket_overflowed_total"]),
                ("Instantiated", ["cs_bucket_instantiation_total"]), ("Poured", ["cs_bucket_poured_total"]),
                ("Expired", ["cs_bucket_underflowed_total"]),
            ]),
        Section(
            type: "lapi", title: "Local API Metrics", keyColumns: [("Route", "route"), ("Method", "method")],
            columns: [("Hits", ["cs_lapi_route_requests_total"])], usesUnits: false),
        Section(
            type: "lapi-machine", title: "Local API Machines Metrics",
            keyColumns: [("Machine", "machine"), ("Route", "route"), ("Method", "method")],
            columns: [("Hits", ["cs_lapi_machine_requests_total"])], usesUnits: false),
        Section(
            type: "lapi-bouncer", title: "Local API Bouncers Metrics",
            keyColumns: [("Bouncer", "bouncer"), ("Route", "route"), ("Method", "method")],
            columns: [("Hits", ["cs_lapi_bouncer_requests_total"])], usesUnits: false),
        Section(
            type: "lapi-decisions", title: "Local API Bouncers Decisions", keyColumns: [("Bouncer", "bouncer")],
            columns: [
                ("Empty answers", ["cs_lapi_decisions_ko_total"]),
                ("Non-empty answers", ["cs_lapi_decisions_ok_total"]),
            ], usesUnits: false),
        Section(
            type: "decisions", title: "Local API Decisions",
            keyColumns: [("Reason", "reason"), ("Origin", "origin"), ("Action", "action")],
            columns: [("Count", ["cs_active_decisions"])], usesUnits: false),
        Section(
            type: "alerts", title: "Local API Alerts", keyColumns: [("Reason", "reason")],
            columns: [("Count", ["cs_alerts"])], usesUnits: false),
    ]

    static func show(_ call: Invocation) async throws {
        let unknown = call.words.first { word in
            !sections.contains { $0.type == word } && word != "engine"
        }
        if let unknown { throw CommandError("unknown metrics type: \(unknown)") }
        let config = try call.config()
        guard config.prometheus.enabled || call.flags.isGiven("url") else {
            throw CommandError("prometheus is not enabled, can't show metrics")
        }
        let samples = await scrape(call, config)
        let wanted = sections.filter { section in
            call.words.isEmpty || call.words.contains(section.type)
                || (call.words.contains("engine") && ["acquisition", "parsers", "scenarios"].contains(section.type))
        }
        if call.output == .json { return call.print(json(wanted, samples).pretty) }
        for section in wanted {
            let table = section.table(samples, units: !call.flags.isOn("no-unit"))
            if table.rows.isEmpty && call.words.isEmpty { continue }
            call.terminal.print(table.text(.full) + "\n", terminator: "")
        }
    }

    /// Both services of this host are asked, the second on the next port; one that is silent is only worth a warning.
    private static func scrape(_ call: Invocation, _ config: SuiteConfig) async -> [MetricSample] {
        var urls = [call.flags.nonEmpty("url")].compactMap { $0 }
        if urls.isEmpty {
            let port = config.prometheus.listenPort
            let ports = config.runsAgent && config.runsServer ? [port, port + 1] : [port]
            urls = ports.map { "http://\(config.prometheus.listenAddress):\($0)/metrics" }
        }
        var samples: [MetricSample] = []
        for url in urls {
            let client = HTTPClient(HTTPEndpoint(baseURL: url, userAgent: SuiteVersion.userAgent("crowdsec")))
            do { samples += MetricSample.parse(try await client.send(HTTPRequest(.get, url)).text) } catch {
                call.terminal.log(.warning, "fetching metrics: \(url): \(error)")
            }
        }
        return samples
    }

    private static func json(_ sections: [Section], _ samples: [MetricSample]) -> JSON {
        .object(
            sections.map { section in
                let rows = section.sums(samples).map { key, values in
                    JSONMember(
                        key.joined(separator: " "),
                        .object(zip(section.columns, values).map { JSONMember($0.header, .number(JSONNumber($1))) }))
                }
                return JSONMember(section.type, .object(rows))
            })
    }
}

extension MetricsReport.Section {
    /// Sums by key, sorted by it.
    func sums(_ samples: [MetricSample]) -> [(key: [String], values: [Double])] {
        var sums: [[String]: [Double]] = [:]
        for (index, column) in columns.enumerated() {
            for sample in samples where column.metrics.contains(sample.name) {
                let key = keyColumns.map { sample.labels[$0.label] ?? "" }
                sums[key, default: Array(repeating: 0, count: columns.count)][index] += sample.value
            }
        }
        return sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }

    func table(_ samples: [MetricSample], units: Bool) -> Table {
        var table = Table(keyColumns.map(\.header) + columns.map(\.header), title: title)
        table.rows = sums(samples).map { key, values in
            key + values.map { Self.number($0, units: units && usesUnits) }
        }
        return table
    }

    /// `-` for zero; from a thousand on two decimals and a unit.
    static func number(_ value: Double, units: Bool) -> String {
        if value == 0 { return "-" }
        guard units, value >= 1000 else { return String(Int64(value)) }
        var (scaled, letters) = (value / 1000, "kMGTPE"[...])
        while scaled >= 1000 && letters.count > 1 {
            scaled /= 1000
            letters.removeFirst()
        }
        let hundredths = Int64((scaled * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)\(letters.prefix(1))"
    }
}
