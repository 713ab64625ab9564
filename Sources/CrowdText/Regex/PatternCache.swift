import Synchronization

/// Patterns made from text at run time, compiled once each. Bounded: an attacker may have a hand in the text.
public final class PatternCache: Sendable {
    private let patterns = Mutex<[String: Result<GoPattern, RegexError>]>([:])
    private let limit: Int

    public init(limit: Int = 256) { self.limit = limit }

    public func pattern(_ text: String) throws(RegexError) -> GoPattern {
        let cached = patterns.withLock { $0[text] }
        if let cached { return try cached.get() }
        let made = Result { () throws(RegexError) in try GoPattern(text) }
        patterns.withLock { patterns in
            if patterns.count >= limit { patterns.removeAll() }
            patterns[text] = made
        }
        return try made.get()
    }
}
