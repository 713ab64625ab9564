public import CrowdCore

/// How far a text went along with a pattern that does not match it: for people who ask why.
public struct NearMiss: Sendable, Equatable {
    /// Bytes of the text that the beginning of the pattern matches.
    public let matched: Range<Int>
    /// What the pattern goes on with, as a regular expression, cut when it is long.
    public let expected: String
}

extension Grok {
    /// Nil when the pattern matches, or when not even its beginning does. Slow: it compiles many beginnings.
    public func nearMiss(in subject: ByteSlice) -> NearMiss? {
        guard let (tree, _) = RegexParser.parse(text) else { return nil }
        var search = NearMissSearch(subject: subject)
        return search.furthest(tree.sequence)
    }
}

/// Looks for the longest beginning of a pattern that still matches, entering groups and alternatives where it ends.
private struct NearMissSearch {
    let subject: ByteSlice
    /// Patterns that may still be compiled, over all branches.
    private var attempts = 500

    init(subject: ByteSlice) { self.subject = subject }

    mutating func furthest(_ parts: [RegexNode]) -> NearMiss? {
        guard let (count, matched) = longestBeginning(parts), count < parts.count else { return nil }
        let beginning = Array(parts[..<count])
        let rest = Array(parts[(count + 1)...])
        switch parts[count] {
        case .group(_, let inner): return furthest(beginning + inner.sequence + rest)
        case .repetition(let inner, let least, _, _) where least > 0 && inner.isCompound:
            return furthest(beginning + inner.sequence)
        case .alternation(let branches):
            let misses = branches.compactMap { furthest(beginning + $0.sequence) }
            return misses.max { $0.matched.count < $1.matched.count } ?? miss(parts, count, matched)
        default: return miss(parts, count, matched)
        }
    }

    /// How many parts match together, and where. Each part more can only narrow it.
    private mutating func longestBeginning(_ parts: [RegexNode]) -> (count: Int, matched: Range<Int>)? {
        var (low, high) = (0, parts.count + 1)
        var matched = 0..<0
        while high - low > 1 {
            let middle = (low + high) / 2
            if let found = match(parts[..<middle]) {
                (low, matched) = (middle, found)
            } else {
                high = middle
            }
        }
        return attempts > 0 ? (low, matched) : nil
    }

    private mutating func match(_ parts: ArraySlice<RegexNode>) -> Range<Int>? {
        attempts -= 1
        guard attempts > 0 else { return nil }
        let text = RegexPrinter.print(.concatenation(Array(parts)), keeping: []).text
        var pair: [Int32] = [0, 0]
        guard let pattern = try? RE2Pattern(text), pattern.match(subject, into: &pair, pairs: 1) else { return nil }
        return Int(pair[0])..<Int(pair[1])
    }

    private func miss(_ parts: [RegexNode], _ count: Int, _ matched: Range<Int>) -> NearMiss? {
        guard !matched.isEmpty else { return nil }
        // A word is told whole, not letter by letter.
        var end = count + 1
        while end < parts.count, parts[end - 1].isLiteral, parts[end].isLiteral { end += 1 }
        let text = RegexPrinter.print(.concatenation(Array(parts[count..<end])), keeping: []).text
        return NearMiss(matched: matched, expected: text.count > 60 ? text.prefix(57) + "..." : text)
    }
}

extension RegexNode {
    fileprivate var sequence: [RegexNode] {
        if case .concatenation(let parts) = self { parts } else { [self] }
    }

    fileprivate var isCompound: Bool {
        switch self {
        case .group(_, let inner): inner.isCompound
        case .concatenation, .alternation: true
        default: false
        }
    }

    fileprivate var isLiteral: Bool { if case .literal = self { true } else { false } }
}
