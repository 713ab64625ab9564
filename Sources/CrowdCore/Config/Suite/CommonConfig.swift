/// `common`: logging and the working directory.
public struct CommonConfig: Equatable, Sendable {
    public enum LogMedia: String, CaseIterable, Sendable { case stdout, file, syslog }
    public enum LogFormat: String, CaseIterable, Sendable { case text, json }

    public var workingDirectory: String?
    public var logMedia = LogMedia.stdout
    public var logDirectory = "/var/log/"
    public var logLevel = LogLevel.info
    public var logFormat = LogFormat.text
    public var forceColorLogs = false
    /// Rotate a log file that would grow beyond this.
    public var logMaxMegabytes = 500
    public var logMaxDays = 28
    /// Rotated files kept.
    public var logMaxFiles = 3
    /// Gzip rotated files.
    public var compressLogs = true
    public var warnings: [String] = []

    public init() {}

    static let keys = [
        "daemonize", "pid_dir", "working_dir", "log_media", "log_dir", "log_level", "log_format", "force_color_logs",
        "log_max_size", "log_max_age", "log_max_files", "compress_logs",
    ]

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.CommonCfg", known: Self.keys)
        _ = try yaml.bool("daemonize")
        if let directory = try yaml.string("pid_dir"), !directory.isEmpty {
            warnings.append("'pid_dir' in section 'common' is deprecated: no PID file is written")
        }
        workingDirectory = try yaml.string("working_dir")
        logMedia = try yaml.nonEmptyChoice("log_media") ?? logMedia
        logDirectory = try yaml.string("log_dir") ?? logDirectory
        logLevel = try yaml.logLevel("log_level") ?? logLevel
        logFormat = try yaml.nonEmptyChoice("log_format") ?? logFormat
        forceColorLogs = try yaml.bool("force_color_logs") ?? forceColorLogs
        logMaxMegabytes = try yaml.int("log_max_size", in: 0...1_000_000) ?? logMaxMegabytes
        logMaxDays = try yaml.int("log_max_age", in: 0...100_000) ?? logMaxDays
        logMaxFiles = try yaml.int("log_max_files", in: 0...100_000) ?? logMaxFiles
        compressLogs = try yaml.bool("compress_logs") ?? compressLogs
    }
}

extension YAMLMapping {
    /// A choice where an empty string means the default.
    func nonEmptyChoice<Choice: RawRepresentable & CaseIterable>(
        _ key: String
    ) throws(ConfigError) -> Choice? where Choice.RawValue == String {
        if let text = try string(key), text.isEmpty { return nil }
        return try choice(key)
    }
}
