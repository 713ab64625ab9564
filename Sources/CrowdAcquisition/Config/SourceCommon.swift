import CrowdCore

/// The keys that all acquisition entries share (surface facts C.1).
struct SourceCommon: Sendable {
    enum Mode: String, CaseIterable, Sendable { case tail, cat, server }
    var mode = Mode.tail
    var labels: [(String, String)]
    /// Lines carry their own time (`use_time_machine`, and every replay).
    var isReplay = false

    static let keys = [
        "source", "mode", "labels", "log_level", "name", "unique_id", "use_time_machine", "transform",
    ]

    init(_ yaml: YAMLMapping, at mark: SourceMark) throws(ConfigError) {
        mode = try yaml.choice("mode") ?? .tail
        labels = try SourceCommon.labels(yaml, at: mark)
        isReplay = try yaml.bool("use_time_machine") ?? false
        if let transform = yaml.present("transform") {
            throw ConfigError("transform is not supported yet", at: transform.mark)
        }
    }

    /// Of a replay from the command line.
    init(replaying labels: [(String, String)]) {
        self.labels = labels
        (mode, isReplay) = (.cat, true)
    }

    private static func labels(_ yaml: YAMLMapping, at mark: SourceMark) throws(ConfigError) -> [(String, String)] {
        guard let node = yaml.present("labels") else { throw ConfigError("missing labels", at: mark) }
        var labels: [(String, String)] = []
        for entry in try node.anyMapping().entries { labels.append((entry.key, try entry.value.string())) }
        guard !labels.isEmpty else { throw ConfigError("missing labels", at: mark) }
        return labels
    }
}
