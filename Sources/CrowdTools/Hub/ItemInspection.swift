import CrowdCore
import CrowdHub

/// `cscli TYPE inspect`: everything known about an item, and what it has done.
enum ItemInspection {
    static func run(_ call: Invocation, _ type: ItemType) async throws {
        let hub = try call.hub()
        if call.flags.isOn("rev") && !call.flags.isOn("diff") {
            throw CommandError("--rev can only be used with --diff")
        }
        for name in call.words {
            let item = try ItemCommands.item(name, type, in: hub)
            if call.flags.isOn("diff") {
                try await diff(item, hub, call)
            } else {
                try await show(item, hub, call)
            }
        }
    }

    private static func show(_ item: HubItem, _ hub: Hub, _ call: Invocation) async throws {
        let record = JSON.object(record(item, hub))
        guard call.output != .json else { return call.print(record.pretty) }
        call.terminal.print(record.yamlNode.yamlText, terminator: "")
        guard call.output == .human, !call.flags.isOn("no-metrics"), item.isInstalled else { return }
        let sections = metricsSections(of: item.id.type)
        guard !sections.isEmpty, try call.config().prometheus.enabled || call.flags.isGiven("url") else { return }
        let names = Set([item.id.name] + hub.currentDependencies(of: item).map(\.name))
        let samples = await MetricsReport.scrape(call, try call.config()).filter { sample in
            names.contains(sample.labels["name"] ?? "")
        }
        call.print("\nCurrent metrics:\n")
        for section in MetricsReport.sections where sections.contains(section.type) {
            let table = section.table(samples, units: true)
            if !table.rows.isEmpty { call.terminal.print(table.text(.full), terminator: "") }
        }
    }

    private static func metricsSections(of type: ItemType) -> [String] {
        switch type {
        case .parsers: ["parsers", "whitelists"]
        case .scenarios: ["scenarios"]
        case .collections: ["parsers", "scenarios"]
        default: []
        }
    }

    private static func record(_ item: HubItem, _ hub: Hub) -> [JSONMember] {
        var members: [JSONMember] = []
        func add(_ key: String, _ value: String?) {
            if let value, !value.isEmpty { members.append(JSONMember(key, .string(value))) }
        }
        func add(_ key: String, _ values: [String]) {
            if !values.isEmpty { members.append(JSONMember(key, .array(values.map { .string($0) }))) }
        }
        add("type", item.id.type.rawValue)
        add("stage", item.stage)
        add("name", item.id.name)
        add("file_name", item.fileName)
        add("description", item.description)
        add("content", item.entry?.content)
        add("author", item.entry?.author)
        add("references", item.entry?.references ?? [])
        add("path", item.entry?.path)
        add("version", item.version)
        let dependencies = hub.latestDependencies(of: item)
        for type in ItemType.allCases { add(type.rawValue, dependencies.filter { $0.type == type }.map(\.name)) }
        add("local_path", item.installedPath)
        add("local_version", item.localVersion)
        add("local_hash", item.localHash)
        for (key, value) in [
            ("installed", item.isInstalled), ("downloaded", item.isDownloaded), ("up_to_date", item.isUpToDate),
            ("tainted", item.isTainted), ("local", item.isLocal),
        ] {
            members.append(JSONMember(key, .bool(value)))
        }
        add("tainted_by", item.taintedBy.map(\.description))
        add("belongs_to_collections", item.belongsToCollections)
        return members
    }

    // MARK: diff

    private static func diff(_ item: HubItem, _ hub: Hub, _ call: Invocation) async throws {
        guard item.isInstalled || item.isDownloaded else {
            throw CommandError("'\(item.id)' is not installed")
        }
        guard let entry = item.entry else { throw CommandError("'\(item.id)' is a local item, there is no diff") }
        guard let path = item.installedPath ?? item.downloadedPath else { return }
        let latest = try await PlanRun.latest(entry, from: try call.hubSource())
        let own = try FileContents.read(path)
        let sides = (
            name: "\(path)", text: String(decoding: own, as: UTF8.self), other: entry.path,
            latest: String(decoding: latest, as: UTF8.self)
        )
        let text =
            call.flags.isOn("rev")
            ? UnifiedDiff.text(sides.other, sides.latest, sides.name, sides.text)
            : UnifiedDiff.text(sides.name, sides.text, sides.other, sides.latest)
        if item.isTainted || !text.isEmpty {
            call.terminal.print(text, terminator: "")
        } else {
            call.print("# \(item.id.name) is up to date, there are no differences")
        }
        for sub in item.taintedBy { call.print("# \(item.id.name) is tainted by \(sub)") }
    }
}

extension JSON {
    /// The same as YAML.
    var yamlNode: YAMLNode {
        let mark = SourceMark(file: "", line: 1, column: 1)
        switch self {
        case .null: return YAMLNode(.scalar(text: "null", plain: true), at: mark)
        case .bool(let value): return YAMLNode(.scalar(text: String(value), plain: true), at: mark)
        case .number(let number): return YAMLNode(.scalar(text: number.text, plain: true), at: mark)
        case .string(let text): return YAMLNode(.scalar(text: text, plain: false), at: mark)
        case .array(let items): return YAMLNode(.sequence(items.map(\.yamlNode)), at: mark)
        case .object(let members):
            return YAMLNode(
                .mapping(members.map { (JSON.string($0.key).yamlNode, $0.value.yamlNode) }), at: mark)
        }
    }
}
