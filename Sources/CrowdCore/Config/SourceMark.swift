/// A place in a configuration file; line and column count from 1.
public struct SourceMark: Hashable, Sendable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, which editors and terminals can jump to.
    public var description: String { "\(file):\(line):\(column)" }
}

/// Why a configuration was refused, and where.
public struct ConfigError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `nil` where the complaint is about something that is not in the file (a missing section, an unreadable file).
    public var mark: SourceMark?
    public var message: String

    public init(_ message: String, at mark: SourceMark? = nil) {
        self.mark = mark
        self.message = message
    }

    /// `config.yaml:12:3: field foo not found in type csconfig.PrometheusCfg`
    public var description: String { mark.map { "\($0): \(message)" } ?? message }
}
