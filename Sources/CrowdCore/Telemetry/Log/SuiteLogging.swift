internal import Glibc
public import Logging
internal import Synchronization

/// Where a program's log goes, and from which level on. Made once, after the configuration is read; loggers are made
/// from it and passed along.
public final class SuiteLogging: Sendable {
    public enum Destination: Sendable {
        /// CrowdSec's `stdout` media writes to standard error, as logrus does.
        case standardError
        case standardOutput
        case file(path: String, policy: LogFilePolicy)
        case syslog(program: String)
    }

    private enum Output: Sendable {
        case descriptor(Int32, colored: Bool)
        case file(RotatingLogFile)
        case syslog(SyslogSocket)
    }

    private let output: Output
    private let json: Bool
    private let threshold: Mutex<LogLevel>

    public init(
        _ destination: Destination, level: LogLevel = .info, format: CommonConfig.LogFormat = .text,
        forceColor: Bool = false
    ) throws(ConfigError) {
        json = format == .json
        threshold = Mutex(level)
        switch destination {
        case .standardError: output = .descriptor(2, colored: forceColor || isatty(2) == 1)
        case .standardOutput: output = .descriptor(1, colored: forceColor || isatty(1) == 1)
        case .file(let path, let policy): output = .file(try RotatingLogFile(path: path, policy: policy))
        case .syslog(let program): output = .syslog(SyslogSocket(program: program))
        }
    }

    /// As `config.yaml`'s `common` section says.
    ///
    /// - Parameters:
    ///   - file: name of the program's log file below `log_dir`.
    ///   - level: from the command line; wins over the file's.
    public convenience init(_ common: CommonConfig, file: String, level: LogLevel? = nil) throws(ConfigError) {
        let directory = common.logDirectory.hasSuffix("/") ? common.logDirectory : common.logDirectory + "/"
        let destination: Destination =
            switch common.logMedia {
            case .stdout: .standardError
            case .file: .file(path: directory + file, policy: LogFilePolicy(common))
            case .syslog: .syslog(program: String(file.split(separator: ".").first ?? "crowdsec"))
            }
        try self.init(
            destination, level: level ?? common.logLevel, format: common.logFormat, forceColor: common.forceColorLogs)
    }

    /// Applies to all loggers at once.
    public var level: LogLevel {
        get { threshold.withLock { $0 } }
        set { threshold.withLock { $0 = newValue } }
    }

    /// A logger that writes here.
    public func logger(_ label: String) -> Logger { Logger(label: label) { _ in SuiteLogHandler(logging: self) } }

    /// Makes `Logger(label:)` of libraries write here too. At most once per process.
    public func bootstrap() { LoggingSystem.bootstrap { _ in SuiteLogHandler(logging: self) } }

    /// Opens the log file again under its name.
    public func reopen() {
        if case .file(let file) = output { file.reopen() }
    }

    /// Says why the program ends: in its log, and on standard error for whoever started it.
    public func fatal(_ reason: String) {
        write(LogRecord(time: .now(), level: .fatal, message: reason, fields: []))
        if case .descriptor(2, _) = output { return }
        Self.fatal(reason)
    }

    /// The same for a program that has no log yet.
    public static func fatal(_ reason: String) {
        var bytes: [UInt8] = []
        LogRecord(time: .now(), level: .fatal, message: reason, fields: []).appendText(to: &bytes, withTime: false)
        _ = Glibc.write(2, bytes, bytes.count)
    }

    func write(_ record: LogRecord) {
        var bytes: [UInt8] = []
        switch output {
        case .syslog(let socket): return socket.write(record)
        case .descriptor(let fd, let colored):
            colored && !json ? record.appendColored(to: &bytes) : append(record, to: &bytes)
            _ = Glibc.write(fd, bytes, bytes.count)
        case .file(let file):
            append(record, to: &bytes)
            file.write(bytes)
        }
    }

    private func append(_ record: LogRecord, to bytes: inout [UInt8]) {
        json ? record.appendJSON(to: &bytes) : record.appendText(to: &bytes)
    }
}
