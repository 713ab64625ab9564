import CrowdCore
import CrowdHTTP

/// The tables of `cscli metrics`: each row is a key, each column sums one metric.
struct MetricsReport {
    static func show(_ call: Invocation) async throws {
        if let unknown = call.words.first(where: { sectionTypes(for: $0).isEmpty }) {
            throw CommandError("unknown metrics type: \(unknown)")
        }
        guard call.output != .raw else {
            throw CommandError("output format 'raw' not supported for this command")
        }
        let types = call.words.flatMap { sectionTypes(for: $0) }
        let config = try call.config()
        try noteDefaults(call)
        guard config.prometheus.enabled || call.flags.isGiven("url") else {
            throw CommandError("prometheus is not enabled, can't show metrics")
        }
        let samples = await scrape(call, config)
        let wanted = sections.filter { section in
            call.words.isEmpty || types.contains(section.type)
        }
        let bouncers = wantsBouncers(call) ? try bouncerMetrics(call) : nil
        if call.output == .json {
            var tree = json(wanted, samples)
            if let bouncers, case .object(let members) = tree {
                tree = .object([JSONMember(BouncerMetrics.type, bouncers.json)] + members)
            }
            return call.print(tree.pretty)
        }
        for table in bouncers?.tables(units: !call.flags.isOn("no-unit")) ?? [] {
            call.terminal.print(table.text(.full) + "\n", terminator: "")
        }
        for section in wanted {
            let table = section.table(samples, units: !call.flags.isOn("no-unit"))
            if table.rows.isEmpty && call.words.isEmpty { continue }
            call.terminal.print(table.text(.full) + "\n", terminator: "")
        }
    }

    /// Every word that `metrics show` takes.
    static var types: [String] {
        (sections.map(\.type) + [BouncerMetrics.type, "appsec", "bot-detection", "engine"]).sorted()
    }

    private static func wantsBouncers(_ call: Invocation) -> Bool {
        call.words.isEmpty || call.words.contains(BouncerMetrics.type)
    }

    /// nil on a host without a database, unless it was asked for by name.
    private static func bouncerMetrics(_ call: Invocation) throws -> BouncerMetrics? {
        guard try call.config().runsServer || call.words.contains(BouncerMetrics.type) else { return nil }
        return try BouncerMetrics(in: try call.database())
    }

    /// Both services of this host are asked, the second on the next port; one that is silent is only worth a warning.
    static func scrape(_ call: Invocation, _ config: SuiteConfig) async -> [MetricSample] {
        MetricSample.parse(await scrapeText(call, config))
    }

    static func scrapeText(_ call: Invocation, _ config: SuiteConfig) async -> String {
        var urls = [call.flags.nonEmpty("url")].compactMap { $0 }
        if urls.isEmpty {
            let port = config.prometheus.listenPort
            let ports = config.runsAgent && config.runsServer ? [port, port + 1] : [port]
            urls = ports.map { "http://\(config.prometheus.listenAddress):\($0)/metrics" }
        }
        var text = ""
        for url in urls {
            let client = HTTPClient(HTTPEndpoint(baseURL: url, userAgent: SuiteVersion.userAgent("crowdsec")))
            do { text += try await client.send(HTTPRequest(.get, url)).text } catch {
                // The second port is the agent's only where both services run.
                if url == urls[0] {
                    let reason = GoNetworkError.text(error, url: url)
                    call.terminal.log(.warning, "fetching metrics: Get \"\(url)\": \(reason)")
                }
            }
        }
        return text
    }

    /// A type's own name, or the types that an alias stands for.
    private static func sectionTypes(for word: String) -> [String] {
        switch word {
        case "engine": ["acquisition", "parsers", "scenarios", "stash", "whitelists"]
        case "lapi": ["alerts", "decisions", "lapi", "lapi-bouncer", "lapi-decisions", "lapi-machine"]
        case "appsec": ["appsec-engine", "appsec-rule", "appsec-challenge"]
        case "bot-detection": ["appsec-challenge"]
        case BouncerMetrics.type: [BouncerMetrics.type]
        default: sections.map(\.type).filter { $0 == word }
        }
    }

    /// Says at level debug what an incomplete `prometheus` section leaves to us.
    private static func noteDefaults(_ call: Invocation) throws {
        guard call.terminal.level <= .debug,
            let section = try ConfigFile.load(call.configPath).anyMapping()["prometheus"]?.anyMapping()
        else { return }
        let address = try section.string("listen_addr") ?? ""
        let port = try section.int("listen_port", in: 0...65535) ?? 0
        if address.isEmpty { call.debug("prometheus.listen_addr is empty, defaulting to 127.0.0.1") }
        if port == 0 { call.debug("prometheus.listen_port is empty or zero, defaulting to 6060") }
    }

    /// Nested by the key columns; a section with one number has it bare, others have an object.
    private static func json(_ sections: [Section], _ samples: [MetricSample]) -> JSON {
        .object(
            sections.map { section in
                var tree = JSON.object([])
                for (key, values) in section.sums(samples) {
                    let numbers = values.map { JSON.number(JSONNumber($0)) }
                    let leaf: JSON =
                        numbers.count == 1
                        ? numbers[0] : .object(zip(section.columns, numbers).map { JSONMember($0.name, $1) })
                    tree.insert(leaf, at: key[...])
                }
                return JSONMember(section.type, tree)
            })
    }

    static func list(_ call: Invocation) throws(CommandError) {
        let known =
            ([[BouncerMetrics.type, BouncerMetrics.title, BouncerMetrics.summary]]
            + sections.map { [$0.type, $0.title, $0.summary] }).sorted { $0[0] < $1[0] }
        switch call.output {
        case .json:
            let names = ["type", "title", "description"]
            call.print(
                JSON.array(known.map { row in .object(zip(names, row).map { JSONMember($0, .string($1)) }) }).pretty)
        case .human:
            var table = Table(["Type", "Title", "Description"])
            table.rows = known
            call.terminal.print(table.text(.full), terminator: "")
        case .raw: throw CommandError("output format 'raw' not supported for this command")
        }
    }
}

extension JSON {
    /// Puts a value where the path of keys leads, making the objects between.
    fileprivate mutating func insert(_ value: JSON, at path: ArraySlice<String>) {
        guard let key = path.first else {
            self = value
            return
        }
        var members: [JSONMember] = []
        if case .object(let present) = self { members = present }
        if let index = members.firstIndex(where: { $0.key == key }) {
            members[index].value.insert(value, at: path.dropFirst())
        } else {
            var child = JSON.object([])
            child.insert(value, at: path.dropFirst())
            members.append(JSONMember(key, child))
        }
        self = .object(members)
    }
}

extension MetricsReport.Section {
    /// Sums by key, sorted by it.
    func sums(_ samples: [MetricSample]) -> [(key: [String], values: [Double])] {
        var sums: [[String]: [Double]] = [:]
        for (index, column) in columns.enumerated() {
            for sample in samples where column.metrics.contains(sample.name) {
                let key = keyColumns.map { self.key($0.label, of: sample) }
                sums[key, default: Array(repeating: 0, count: columns.count)][index] += sample.value
            }
        }
        // What was never counted has no row: a gauge of nothing is no news.
        let counted = sums.filter { $0.value.contains { $0 != 0 } }
        return counted.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }

    /// A source by its module and its name, `file:/var/log/auth.log`: parsers and sources name the module differently.
    private func key(_ label: String, of sample: MetricSample) -> String {
        let value = sample.labels[label] ?? ""
        guard type == "acquisition" else { return value }
        guard let module = sample.labels["datasource_type"] ?? sample.labels["type"] else { return value }
        return "\(module):\(value)"
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
        // A bouncer may report anything.
        guard value.magnitude < 1e18 else { return "\(value)" }
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
