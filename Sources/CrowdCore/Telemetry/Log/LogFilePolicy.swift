/// When a log file is rotated, and what is kept (surface facts B.2, `common.log_*`).
public struct LogFilePolicy: Equatable, Sendable {
    /// Zero: never rotated.
    public var maxBytes = 500 * 1024 * 1024
    /// Rotated files older than this are removed; zero: kept.
    public var maxDays = 28
    /// Rotated files kept; zero: all.
    public var maxFiles = 3
    public var compress = true
    /// Permission bits of a new file.
    public var mode: UInt32 = 0o600

    public init() {}

    public init(_ common: CommonConfig) {
        maxBytes = common.logMaxMegabytes * 1024 * 1024
        maxDays = common.logMaxDays
        maxFiles = common.logMaxFiles
        compress = common.compressLogs
    }

    /// Which of the rotated files beside `file` are to be removed.
    ///
    /// Names are `crowdsec-2026-11-21T08-17-29.123.log[.gz]`, so that they sort by age.
    func superfluous(_ names: [String], of file: String, now: Timestamp) -> [String] {
        let backups = names.filter { Self.time(ofBackup: $0, file: file) != nil }.sorted(by: >)
        let tooMany = maxFiles > 0 ? Array(backups.dropFirst(maxFiles)) : []
        let oldest = Timestamp(nanoseconds: now.nanoseconds - Int64(maxDays) * 86400 * 1_000_000_000)
        let tooOld =
            maxDays == 0 ? [] : backups.filter { Self.time(ofBackup: $0, file: file).map { $0 < oldest } ?? false }
        return Array(Set(tooMany + tooOld)).sorted()
    }

    /// Name for the file being rotated away at `time`.
    static func backupName(of file: String, at time: Timestamp) -> String {
        let (stem, suffix) = split(file)
        let second = time.rfc3339.dropLast().map { $0 == ":" ? "-" : $0 }
        let millisecond = String(1000 + (time.nanoseconds / 1_000_000) % 1000).dropFirst()
        return "\(stem)-\(String(second)).\(millisecond)\(suffix)"
    }

    static func time(ofBackup name: String, file: String) -> Timestamp? {
        let (stem, suffix) = split(file)
        var text = Substring(name)
        if text.hasSuffix(".gz") { text = text.dropLast(3) }
        guard text.hasPrefix(stem + "-"), text.hasSuffix(suffix) else { return nil }
        text = text.dropFirst(stem.count + 1).dropLast(suffix.count)
        let parts = text.split(separator: "T")
        guard parts.count == 2 else { return nil }
        return Timestamp(rfc3339: parts[0] + "T" + parts[1].map { $0 == "-" ? ":" : $0 } + "Z")
    }

    private static func split(_ file: String) -> (stem: String, suffix: String) {
        guard let dot = file.lastIndex(of: ".") else { return (file, "") }
        return (String(file[..<dot]), String(file[dot...]))
    }
}
