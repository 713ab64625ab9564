import CrowdCore

/// `source: journalctl` (surface facts C.4).
struct JournalSourceConfig: Sendable {
    var common: SourceCommon
    /// Arguments of `journalctl`: `_SYSTEMD_UNIT=ssh.service`, `--directory`, …
    var filters: [String]
    /// Only for reading once.
    var since = ""
    /// Longest line kept, in bytes.
    var maxLineBytes = 64 * 1024

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.sourceMapping(
            type: "journalctlacquisition.Configuration", known: SourceCommon.keys + ["journalctl_filter"])
        common = try SourceCommon(yaml, at: node.mark)
        filters = try yaml.strings("journalctl_filter") ?? []
        guard !filters.isEmpty else { throw ConfigError("journalctl_filter is required", at: node.mark) }
        guard common.mode != .server else {
            throw ConfigError("unsupported mode 'server' for journalctl source", at: node.mark)
        }
    }

    /// `filters=F1&filters=F2&since=…&log_level=…`, each percent-encoded.
    init(dsn: String, labels: [(String, String)]) throws(ConfigError) {
        common = SourceCommon(replaying: labels)
        filters = []
        for parameter in dsn.split(separator: "&") {
            let sides = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = PercentEncoding.decode((sides.count == 2 ? sides[1] : "").utf8, plusIsSpace: true) else {
                throw ConfigError("invalid escape in journalctl DSN: \(parameter)")
            }
            switch sides[0] {
            case "filters": filters.append(value)
            case "since": since = value
            case "log_level": try common.readLogLevel(value)
            default: throw ConfigError("unsupported key \(sides[0]) in journalctl DSN")
            }
        }
        guard !filters.isEmpty else { throw ConfigError("empty journalctl:// DSN") }
    }

    /// `evt.Line.Src`, and the name under which its place is kept.
    var sourceName: String { "journalctl-" + filters.joined(separator: ".") }
}
