import CrowdCore

/// The keys that all acquisition entries share (surface facts C.1).
struct SourceCommon: Sendable {
    enum Mode: String, CaseIterable, Sendable { case tail, cat, server }
    var mode = Mode.tail
    var labels: [(String, String)]
    /// Lines carry their own time (`use_time_machine`, and every replay).
    var isReplay = false
    /// Of this source's messages; nil is the agent's.
    var logLevel: LogLevel?
    /// Makes other lines of each line.
    var transform: LineTransformConfig?

    /// `labels.type`
    var type: String { labels.first { $0.0 == "type" }?.1 ?? "" }

    static let keys = [
        "source", "mode", "labels", "log_level", "name", "unique_id", "use_time_machine", "transform",
    ]

    /// - Parameter needsLabels: false where what is read may carry its own.
    init(_ yaml: YAMLMapping, at mark: SourceMark, needsLabels: Bool = true) throws(ConfigError) {
        mode = try yaml.choice("mode") ?? .tail
        labels = needsLabels || yaml.present("labels") != nil ? try SourceCommon.labels(yaml, at: mark) : []
        isReplay = try yaml.bool("use_time_machine") ?? false
        logLevel = try yaml.logLevel("log_level")
        if let node = yaml.present("transform") {
            transform = LineTransformConfig(text: try node.string(), mark: node.mark)
        }
    }

    /// Of a replay from the command line.
    init(replaying labels: [(String, String)]) {
        self.labels = labels
        (mode, isReplay) = (.cat, true)
    }

    /// `log_level` of a DSN.
    mutating func readLogLevel(_ text: String) throws(ConfigError) {
        guard let level = LogLevel(text) else { throw ConfigError("not a valid logrus Level: \"\(text)\"") }
        logLevel = level
    }

    private static func labels(_ yaml: YAMLMapping, at mark: SourceMark) throws(ConfigError) -> [(String, String)] {
        guard let node = yaml.present("labels") else { throw ConfigError("missing labels", at: mark) }
        var labels: [(String, String)] = []
        for entry in try node.anyMapping().entries { labels.append((entry.key, try entry.value.string())) }
        guard !labels.isEmpty else { throw ConfigError("missing labels", at: mark) }
        try SourcePriority.check(labels, at: node.mark)
        return labels
    }
}
