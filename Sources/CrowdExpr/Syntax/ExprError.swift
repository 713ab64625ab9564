/// Why an expression was refused or stopped, and where in its text.
public struct ExprError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Phase: Sendable { case compile, run }
    public let message: String
    /// Byte offset into the expression.
    public let offset: Int
    public let phase: Phase

    public init(_ message: String, at offset: Int, phase: Phase = .compile) {
        self.message = message
        self.offset = offset
        self.phase = phase
    }

    public var description: String { message }

    /// Line and column, both from 1, the column in characters.
    public func position(in source: String) -> (line: Int, column: Int) {
        let before = source.utf8.prefix(max(offset, 0))
        let line = before.reduce(1) { $1 == 10 ? $0 + 1 : $0 }
        let start = before.lastIndex(of: 10).map { before.index(after: $0) } ?? before.startIndex
        return (line, String(decoding: before[start...], as: UTF8.self).count + 1)
    }

    /// `message (line:column)` with the offending line and a caret under the place.
    public func detailed(in source: String) -> String {
        let (line, column) = position(in: source)
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        guard line <= lines.count else { return "\(message) (\(line):\(column))" }
        let caret = String(repeating: ".", count: column - 1) + "^"
        return "\(message) (\(line):\(column))\n | \(lines[line - 1])\n | \(caret)"
    }
}
