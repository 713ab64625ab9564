public import Logging

/// swift-log's view of `SuiteLogging`. `critical` is CrowdSec's `fatal`.
struct SuiteLogHandler: LogHandler {
    let logging: SuiteLogging
    /// Threshold of this logger alone, instead of the shared one.
    var ownLevel: LogLevel?
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(logging: SuiteLogging) { self.logging = logging }

    var logLevel: Logger.Level {
        get { (ownLevel ?? logging.level).loggerLevel }
        set { ownLevel = LogLevel(newValue) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let given = event.metadata { fields.merge(given) { $1 } }
        if let error = event.error { fields["error"] = "\(error)" }
        let sorted =
            fields.isEmpty
            ? [] : fields.map { (name: $0.key, value: $0.value.description) }.sorted { $0.name < $1.name }
        logging.write(
            LogRecord(
                time: .now(), level: LogLevel(event.level), message: event.message.description, fields: sorted))
    }
}

extension LogLevel {
    init(_ level: Logger.Level) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info, .notice: self = .info
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .fatal
        }
    }

    public var loggerLevel: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        case .fatal: .critical
        }
    }
}
