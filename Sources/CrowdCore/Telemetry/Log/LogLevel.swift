/// CrowdSec's log levels.
public enum LogLevel: String, CaseIterable, Comparable, Sendable {
    case trace, debug, info, warning, error, fatal

    /// Reads CrowdSec's spellings (`warn`, `panic` and any case included).
    public init?(_ text: String) {
        switch text.lowercased() {
        case "warn": self = .warning
        case "panic": self = .fatal
        case let name:
            guard let level = LogLevel(rawValue: name) else { return nil }
            self = level
        }
    }

    /// The number of logrus' colour for it.
    public var terminalColor: Int {
        switch self {
        case .trace, .debug: 37
        case .info: 36
        case .warning: 33
        case .error, .fatal: 31
        }
    }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rank < b.rank }
}

extension YAMLMapping {
    /// A log level under `key`.
    public func logLevel(_ key: String) throws(ConfigError) -> LogLevel? {
        guard let node = present(key) else { return nil }
        let text = try node.string()
        guard !text.isEmpty else { return nil }
        guard let level = LogLevel(text) else {
            throw ConfigError("not a valid logrus Level: \"\(text)\"", at: node.mark)
        }
        return level
    }
}
