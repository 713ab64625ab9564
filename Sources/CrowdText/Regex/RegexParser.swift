/// Reads a pattern that RE2 has accepted; nil where a construct is met whose meaning the engines do not share.
///
/// Depth is bounded: a pattern nested deeper is left to RE2 alone.
struct RegexParser {
    private static let maxDepth = 120

    struct Flags {
        var fold = false
        var multiLine = false
        var dotAll = false
    }

    private let source: [Unicode.Scalar]
    private var at = 0
    private var flags = Flags()
    private var depth = 0
    /// Scalar offset of each capturing group's parenthesis, by group number from 1.
    private(set) var groupOffsets: [Int] = []

    /// The tree, and where in the source (in scalars) each capturing group opens.
    static func parse(_ pattern: String) -> (tree: RegexNode, groupOffsets: [Int])? {
        var parser = RegexParser(source: Array(pattern.unicodeScalars))
        guard let tree = parser.alternation(), parser.at == parser.source.count else { return nil }
        return (tree, parser.groupOffsets)
    }

    private init(source: [Unicode.Scalar]) { self.source = source }

    private var current: Unicode.Scalar? { at < source.count ? source[at] : nil }
    private func peek(_ ahead: Int) -> Unicode.Scalar? { at + ahead < source.count ? source[at + ahead] : nil }

    private func starts(_ text: String) -> Bool { source[at...].starts(with: text.unicodeScalars) }

    private mutating func alternation() -> RegexNode? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= RegexParser.maxDepth else { return nil }
        var branches: [RegexNode] = []
        while true {
            guard let branch = concatenation() else { return nil }
            branches.append(branch)
            guard current == "|" else { break }
            at += 1
        }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func concatenation() -> RegexNode? {
        var parts: [RegexNode] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            if starts("(?"), let changed = flagChange() {
                flags = changed
                continue
            }
            guard let atom = atom(), let whole = repeated(atom) else { return nil }
            parts.append(whole)
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .concatenation(parts)
    }

    /// `(?i)`: applies to the rest of the enclosing group. nil when it is something else.
    private mutating func flagChange() -> Flags? {
        guard let (changed, end) = flagLetters(), source[end] == ")" else { return nil }
        at = end + 1
        return changed
    }

    /// The flags after `(?`, and where the letters end.
    private func flagLetters() -> (Flags, Int)? {
        var result = flags
        var position = at + 2
        var on = true
        while position < source.count {
            switch source[position] {
            case "i": result.fold = on
            case "m": result.multiLine = on
            case "s": result.dotAll = on
            case "-": on = false
            case ")", ":": return (result, position)
            default: return nil
            }
            position += 1
        }
        return nil
    }

    // MARK: atoms

    private mutating func atom() -> RegexNode? {
        guard let scalar = current else { return nil }
        switch scalar {
        case "(": return group()
        case "[": return bracket()
        case "\\": return escape()
        case ".":
            at += 1
            return .any(dotAll: flags.dotAll)
        case "^":
            at += 1
            return flags.multiLine ? .lineStart : .textStart
        case "$":
            at += 1
            return flags.multiLine ? .lineEnd : .textEnd
        case "*", "+", "?": return nil
        default:
            at += 1
            return .literal(scalar, fold: flags.fold)
        }
    }

    private mutating func group() -> RegexNode? {
        let saved = flags
        defer { flags = saved }
        if starts("(?P<") || starts("(?<") {
            openGroup()
            guard let close = source[at...].firstIndex(of: ">") else { return nil }
            at = close + 1
        } else if starts("(?") {
            guard let (changed, end) = flagLetters(), source[end] == ":" else { return nil }
            flags = changed
            at = end + 1
            guard let inner = alternation(), current == ")" else { return nil }
            at += 1
            return inner
        } else {
            openGroup()
            at += 1
        }
        let index = groupOffsets.count
        guard let inner = alternation(), current == ")" else { return nil }
        at += 1
        return .group(index: index, inner)
    }

    private mutating func openGroup() { groupOffsets.append(at) }

    private mutating func escape() -> RegexNode? {
        guard let letter = peek(1) else { return nil }
        switch letter {
        case "A": return take(2, .textStart)
        case "z": return take(2, .textEnd)
        case "b": return take(2, .wordBoundary)
        case "B": return take(2, .notWordBoundary)
        case "Q": return quotation()
        case "d", "D", "w", "W", "s", "S":
            // Under (?i), RE2 folds non-ASCII characters into \w; PCRE2 does not.
            guard !flags.fold, let made = RegexClass.perl(Character(letter)) else { return nil }
            return take(2, .charClass(made))
        default:
            guard let scalar = escapedScalar() else { return nil }
            return .literal(scalar, fold: flags.fold)
        }
    }

    private mutating func take(_ count: Int, _ node: RegexNode) -> RegexNode {
        at += count
        return node
    }

    private mutating func quotation() -> RegexNode? {
        at += 2
        var parts: [RegexNode] = []
        while let scalar = current, !starts("\\E") {
            parts.append(.literal(scalar, fold: flags.fold))
            at += 1
        }
        if starts("\\E") { at += 2 }
        return .concatenation(parts)
    }

    /// An escape that stands for one character; nil for all others.
    private mutating func escapedScalar() -> Unicode.Scalar? {
        guard let letter = peek(1) else { return nil }
        at += 2
        switch letter {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "f": return "\u{c}"
        case "v": return "\u{b}"
        case "a": return "\u{7}"
        case "x": return hexScalar()
        default:
            guard letter.isASCII, !letter.properties.isAlphabetic, letter.properties.numericType == nil else {
                return nil
            }
            return letter
        }
    }

    private mutating func hexScalar() -> Unicode.Scalar? {
        var digits = ""
        if current == "{" {
            guard let close = source[at...].firstIndex(of: "}") else { return nil }
            digits = String(String.UnicodeScalarView(source[(at + 1)..<close]))
            at = close + 1
        } else {
            guard at + 2 <= source.count else { return nil }
            digits = String(String.UnicodeScalarView(source[at..<at + 2]))
            at += 2
        }
        return UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init)
    }

    // MARK: classes

    private mutating func bracket() -> RegexNode? {
        var result = RegexClass()
        result.fold = flags.fold
        at += 1
        if current == "^" {
            result.isNegated = true
            at += 1
        }
        var isFirst = true
        while let scalar = current, scalar != "]" || isFirst {
            isFirst = false
            guard classItem(&result) else { return nil }
        }
        guard current == "]" else { return nil }
        at += 1
        return .charClass(result)
    }

    private mutating func classItem(_ result: inout RegexClass) -> Bool {
        if starts("[:") { return posixClass(&result) }
        if current == "\\", let letter = peek(1), "dDwWsS".unicodeScalars.contains(letter) {
            guard !flags.fold, let perl = RegexClass.perl(Character(letter)) else { return false }
            result.ranges += perl.isNegated ? perl.complement : perl.ranges
            at += 2
            return true
        }
        guard let low = classScalar() else { return false }
        if current == "-", let next = peek(1), next != "]" {
            // `a-\d` and the like: the hyphen is then a character of its own.
            if next == "\\", let letter = peek(2), "dDwWsS".unicodeScalars.contains(letter) {
                result.add(low.value, low.value)
                return true
            }
            at += 1
            guard let high = classScalar(), low.value <= high.value else { return false }
            result.add(low.value, high.value)
        } else {
            result.add(low.value, low.value)
        }
        return true
    }

    private mutating func classScalar() -> Unicode.Scalar? {
        guard let scalar = current else { return nil }
        if scalar == "\\" { return escapedScalar() }
        at += 1
        return scalar
    }

    private mutating func posixClass(_ result: inout RegexClass) -> Bool {
        guard let close = source[(at + 2)...].firstIndex(of: ":"), close + 1 < source.count, source[close + 1] == "]"
        else {
            return false
        }
        var name = String(String.UnicodeScalarView(source[(at + 2)..<close]))
        let negated = name.hasPrefix("^")
        if negated { name.removeFirst() }
        guard let ranges = RegexClass.posix(name) else { return false }
        result.ranges += negated ? RegexClass(ranges: ranges).complement : ranges
        at = close + 2
        return true
    }

    // MARK: repetition

    private mutating func repeated(_ atom: RegexNode) -> RegexNode? {
        guard let (least, most, length) = quantifier() else { return atom }
        at += length
        let lazy = current == "?"
        if lazy { at += 1 }
        guard quantifier() == nil else { return nil }
        // The engines disagree on loops whose body may take nothing.
        if atom.isNullable, most != 1 { return nil }
        return .repetition(atom, least: least, most: most, lazy: lazy)
    }

    private func quantifier() -> (least: Int, most: Int?, length: Int)? {
        switch current {
        case "*": return (0, nil, 1)
        case "+": return (1, nil, 1)
        case "?": return (0, 1, 1)
        case "{": return counted()
        default: return nil
        }
    }

    /// `{n}`, `{n,}`, `{n,m}`; any other brace is a character.
    private func counted() -> (least: Int, most: Int?, length: Int)? {
        guard let close = source[at...].prefix(12).firstIndex(of: "}") else { return nil }
        let text = String(String.UnicodeScalarView(source[(at + 1)..<close]))
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let least = Int(parts[0]), parts[0].allSatisfy(\.isNumber) else { return nil }
        if parts.count == 1 { return (least, least, close - at + 1) }
        if parts[1].isEmpty { return (least, nil, close - at + 1) }
        guard let most = Int(parts[1]), parts[1].allSatisfy(\.isNumber) else { return nil }
        return (least, most, close - at + 1)
    }
}
