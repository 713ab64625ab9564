/// A pattern in RE2's syntax as a tree, so far as both engines agree on its meaning.
///
/// The tree serves two ends (regex facts 3.3): groups that nobody asks for are printed without capturing, and the
/// text given to PCRE2 is printed from it, never copied from the source.
indirect enum RegexNode {
    case empty
    /// One character; `fold` under `(?i)`.
    case literal(Unicode.Scalar, fold: Bool)
    case any(dotAll: Bool)
    case charClass(RegexClass)
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
    case group(index: Int, RegexNode)
    case concatenation([RegexNode])
    case alternation([RegexNode])
    case repetition(RegexNode, least: Int, most: Int?, lazy: Bool)

    /// Whether it can match without taking a character.
    var isNullable: Bool {
        switch self {
        case .empty, .textStart, .textEnd, .lineStart, .lineEnd, .wordBoundary, .notWordBoundary: true
        case .literal, .any, .charClass: false
        case .group(_, let inner): inner.isNullable
        case .concatenation(let parts): parts.allSatisfy(\.isNullable)
        case .alternation(let parts): parts.contains(where: \.isNullable)
        case .repetition(let inner, let least, _, _): least == 0 || inner.isNullable
        }
    }
}

/// A character class: ranges of scalars, perhaps negated.
struct RegexClass {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false
    var fold = false

    mutating func add(_ low: UInt32, _ high: UInt32) { ranges.append(low...high) }

    /// `\d \w \s` as RE2 has them: ASCII only, and no vertical tab among the blanks.
    static func perl(_ letter: Character) -> RegexClass? {
        var result = RegexClass()
        switch letter {
        case "d", "D": result.add(48, 57)
        case "w", "W":
            result.add(48, 57)
            result.add(65, 90)
            result.add(95, 95)
            result.add(97, 122)
        case "s", "S":
            result.add(9, 10)
            result.add(12, 13)
            result.add(32, 32)
        default: return nil
        }
        result.isNegated = letter.isUppercase
        return result
    }

    /// `[:alpha:]` and its kin.
    static func posix(_ name: String) -> [ClosedRange<UInt32>]? {
        switch name {
        case "alnum": [48...57, 65...90, 97...122]
        case "alpha": [65...90, 97...122]
        case "ascii": [0...127]
        case "blank": [9...9, 32...32]
        case "cntrl": [0...31, 127...127]
        case "digit": [48...57]
        case "graph": [33...126]
        case "lower": [97...122]
        case "print": [32...126]
        case "punct": [33...47, 58...64, 91...96, 123...126]
        case "space": [9...13, 32...32]
        case "upper": [65...90]
        case "word": [48...57, 65...90, 95...95, 97...122]
        case "xdigit": [48...57, 65...70, 97...102]
        default: nil
        }
    }

    /// The ranges of the negation, over all of Unicode.
    var complement: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10ffff { result.append(next...0x10ffff) }
        return result
    }
}
