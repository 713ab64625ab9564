import CrowdCore

/// `source: file`: follows or reads the files that match glob patterns (surface facts C.3).
struct FileSourceConfig: Sendable {
    enum Mode: String, CaseIterable, Sendable { case tail, cat }
    var patterns: [String]
    var exclusions: [String] = []
    var mode = Mode.tail
    var labels: [(String, String)]
    /// Lines carry their own time (`use_time_machine`, and every replay).
    var isReplay = false
    /// Never wait for inotify: for file systems that do not report changes.
    var pollsOnly = false
    /// Longest line kept, in bytes; the rest of a longer line is dropped and counted.
    var maxLineBytes = 64 * 1024
    /// A pattern without a file is an error: only when reading once from the command line.
    var demandsFiles = false

    private static let keys = [
        "source", "mode", "labels", "log_level", "name", "unique_id", "use_time_machine", "transform", "filename",
        "filenames", "exclude_regexps", "force_inotify", "poll_without_inotify", "discovery_poll_enable",
        "discovery_poll_interval", "max_buffer_size",
    ]

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "fileacquisition.Configuration", known: FileSourceConfig.keys)
        patterns = try yaml.strings("filenames") ?? []
        if let one = try yaml.string("filename"), !one.isEmpty { patterns.append(one) }
        guard !patterns.isEmpty else {
            throw ConfigError("no filename or filenames configuration provided", at: node.mark)
        }
        exclusions = try yaml.strings("exclude_regexps") ?? []
        mode = try yaml.choice("mode") ?? .tail
        labels = try FileSourceConfig.labels(yaml, at: node.mark)
        isReplay = try yaml.bool("use_time_machine") ?? false
        pollsOnly = try yaml.bool("poll_without_inotify") ?? false
        maxLineBytes = try yaml.int("max_buffer_size", in: 1...(64 * 1024 * 1024)) ?? maxLineBytes
        if let transform = yaml.present("transform") {
            throw ConfigError("transform is not supported yet", at: transform.mark)
        }
    }

    private static func labels(_ yaml: YAMLMapping, at mark: SourceMark) throws(ConfigError) -> [(String, String)] {
        guard let node = yaml.present("labels") else { throw ConfigError("missing labels", at: mark) }
        var labels: [(String, String)] = []
        for entry in try node.anyMapping().entries { labels.append((entry.key, try entry.value.string())) }
        guard !labels.isEmpty else { throw ConfigError("missing labels", at: mark) }
        return labels
    }

    /// `/path/or/glob?max_buffer_size=N&log_level=L`
    init(dsn: String, labels: [(String, String)]) throws(ConfigError) {
        let parts = dsn.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, !path.isEmpty else { throw ConfigError("empty file:// DSN") }
        patterns = [String(path)]
        mode = .cat
        self.labels = labels
        isReplay = true
        demandsFiles = true
        for parameter in parts.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = parameter.split(separator: "=", maxSplits: 1).map(String.init)
            switch sides[0] {
            case "log_level": break
            case "max_buffer_size":
                guard sides.count == 2, let bytes = Int(sides[1]), bytes > 0 else {
                    throw ConfigError("max_buffer_size must be a number of bytes")
                }
                maxLineBytes = bytes
            default: throw ConfigError("unknown parameter \(sides[0])")
            }
        }
    }
}
