import CrowdCore
import CrowdText

/// `source: file`: follows or reads the files that match glob patterns (surface facts C.3).
struct FileSourceConfig: Sendable {
    var common: SourceCommon
    var patterns: [String]
    var exclusions: [GoPattern] = []
    /// Never wait for inotify: for file systems that do not report changes.
    var pollsOnly = false
    /// Longest line kept, in bytes; the rest of a longer line is dropped and counted.
    var maxLineBytes = 64 * 1024
    /// A pattern without a file is an error: only when reading once from the command line.
    var demandsFiles = false

    private static let keys =
        SourceCommon.keys + [
            "filename", "filenames", "exclude_regexps", "force_inotify", "poll_without_inotify",
            "discovery_poll_enable",
            "discovery_poll_interval", "max_buffer_size",
        ]

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.sourceMapping(
            type: "fileacquisition.Configuration", known: FileSourceConfig.keys,
            reading: "cannot parse FileAcquisition configuration:")
        common = try SourceCommon(yaml, at: node.mark)
        patterns = try yaml.strings("filenames") ?? []
        if let one = try yaml.string("filename"), !one.isEmpty { patterns.append(one) }
        guard !patterns.isEmpty else {
            throw ConfigError("no filename or filenames configuration provided", at: node.mark)
        }
        guard common.mode != .server else {
            throw ConfigError("unsupported mode server for file source", at: node.mark)
        }
        exclusions = try FileSourceConfig.exclusions(yaml)
        // Every directory is watched and looked at each second anyway.
        for key in ["force_inotify", "discovery_poll_enable"] { _ = try yaml.bool(key) }
        _ = try yaml.duration("discovery_poll_interval")
        pollsOnly = try yaml.bool("poll_without_inotify") ?? false
        maxLineBytes = try yaml.int("max_buffer_size", in: 1...(64 * 1024 * 1024)) ?? maxLineBytes
    }

    private static func exclusions(_ yaml: YAMLMapping) throws(ConfigError) -> [GoPattern] {
        var patterns: [GoPattern] = []
        for node in try yaml.present("exclude_regexps")?.sequence() ?? [] {
            let text = try node.string()
            do {
                patterns.append(try GoPattern(text))
            } catch {
                throw ConfigError("could not compile regexp \(text): \(error)", at: node.mark)
            }
        }
        return patterns
    }

    /// `/path/or/glob?max_buffer_size=N&log_level=L`
    init(dsn: String, labels: [(String, String)]) throws(ConfigError) {
        let parts = dsn.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, !path.isEmpty else { throw ConfigError("empty file:// DSN") }
        patterns = [String(path)]
        common = SourceCommon(replaying: labels)
        demandsFiles = true
        for parameter in parts.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = parameter.split(separator: "=", maxSplits: 1).map(String.init)
            switch sides[0] {
            case "log_level": try common.readLogLevel(sides.count == 2 ? sides[1] : "")
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
