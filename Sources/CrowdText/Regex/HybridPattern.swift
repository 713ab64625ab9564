internal import CRegex
import CrowdCore

/// A grok pattern ready to match: RE2 as the arbiter, PCRE2's JIT code where it is known to agree.
///
/// Only the groups asked for capture; they come in the order `groups` states. Immutable, shared by workers; what
/// changes while matching lives in a `PatternScratch`.
public final class HybridPattern: @unchecked Sendable {
    // Sendable: both compiled forms are immutable.
    let re2: RE2Pattern
    let jit: OpaquePointer?
    /// How many pairs a match fills: the whole and each group.
    public let pairCount: Int
    /// For each wanted group, its place among the pairs.
    public let places: [Int]
    /// Number of the pattern's breaker in a `PatternScratch`.
    public let number: Int
    /// What every text begins with that it matches.
    let beginning: PatternBeginning

    /// - Parameters:
    ///   - groups: scalar offsets in `pattern` of the parentheses whose groups are wanted.
    ///   - accelerated: false leaves all to RE2 (`CROWD_REGEX=re2`).
    init(_ pattern: String, groups: [Int], number: Int, accelerated: Bool) throws(RegexError) {
        self.number = number
        guard let (tree, offsets) = RegexParser.parse(pattern) else {
            re2 = try RE2Pattern(pattern)
            jit = nil
            beginning = PatternBeginning()
            let numbers = HybridPattern.groupNumbers(pattern)
            places = groups.map { numbers[$0] ?? 0 }
            pairCount = (places.max() ?? 0) + 1
            return
        }
        let numbers = Dictionary(uniqueKeysWithValues: offsets.enumerated().map { ($1, $0 + 1) })
        let wanted = groups.map { numbers[$0] ?? 0 }
        beginning = PatternBeginning(tree)
        var (lean, order) = RegexPrinter.print(tree, keeping: Set(wanted))
        re2 = try RE2Pattern(lean)
        places = wanted.map { number in (order.firstIndex(of: number) ?? -1) + 1 }
        pairCount = order.count + 1
        jit = accelerated ? HybridPattern.compile(&lean) : nil
    }

    deinit { crowd_pcre2_free(jit) }

    private static func compile(_ text: inout String) -> OpaquePointer? {
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { crowd_pcre2_new($0.baseAddress, $0.count) }
        }
    }

    /// Group numbers by the offset of their parenthesis, for patterns the parser left alone.
    private static func groupNumbers(_ pattern: String) -> [Int: Int] {
        var numbers: [Int: Int] = [:]
        let source = Array(pattern.unicodeScalars)
        var (at, inClass, count) = (0, false, 0)
        while at < source.count {
            switch source[at] {
            case "\\": at += 1
            case "[" where !inClass:
                inClass = true
                if at + 1 < source.count, source[at + 1] == "^" { at += 1 }
                if at + 1 < source.count, source[at + 1] == "]" { at += 1 }
            case "[" where at + 1 < source.count && source[at + 1] == ":":
                while at < source.count, source[at] != "]" { at += 1 }
            case "]": inClass = false
            case "(" where !inClass:
                let named = source[at...].starts(with: "(?P<".unicodeScalars)
                if named || at + 1 >= source.count || source[at + 1] != "?" {
                    count += 1
                    numbers[at] = count
                }
            default: break
            }
            at += 1
        }
        return numbers
    }

    /// Whether this process may run PCRE2's compiled code.
    public static var isJITAvailable: Bool { crowd_pcre2_jit_available() != 0 }
}
