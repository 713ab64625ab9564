/// Prints a tree as text that RE2 and PCRE2 read alike (regex facts 3.3).
struct RegexPrinter {
    /// Groups that keep capturing; all others are printed as `(?:…)`.
    let kept: Set<Int>
    private(set) var text = ""
    /// The original numbers of the kept groups, in the order in which they now stand.
    private(set) var order: [Int] = []

    static func print(_ tree: RegexNode, keeping kept: Set<Int>) -> (text: String, order: [Int]) {
        var printer = RegexPrinter(kept: kept)
        printer.write(tree)
        return (printer.text, printer.order)
    }

    private init(kept: Set<Int>) { self.kept = kept }

    private mutating func write(_ node: RegexNode) {
        switch node {
        case .empty: break
        case .literal(let scalar, let fold):
            let escaped = RegexPrinter.escaped(scalar)
            text += fold && scalar.properties.isAlphabetic ? "(?i:\(escaped))" : escaped
        case .any(let dotAll): text += dotAll ? "(?s:.)" : "."
        case .charClass(let made): write(made)
        case .textStart: text += "\\A"
        case .textEnd: text += "\\z"
        case .lineStart: text += "(?m:^)"
        case .lineEnd: text += "(?m:$)"
        case .wordBoundary: text += "\\b"
        case .notWordBoundary: text += "\\B"
        case .group(let index, let inner):
            if kept.contains(index) { order.append(index) }
            text += kept.contains(index) ? "(" : "(?:"
            write(inner)
            text += ")"
        case .concatenation(let parts):
            for part in parts {
                if case .alternation = part { writeGrouped(part) } else { write(part) }
            }
        case .alternation(let branches):
            for (index, branch) in branches.enumerated() {
                if index > 0 { text += "|" }
                write(branch)
            }
        case .repetition(let inner, let least, let most, let lazy):
            writeAtom(inner)
            text += RegexPrinter.quantifier(least, most) + (lazy ? "?" : "")
        }
    }

    private mutating func writeAtom(_ node: RegexNode) {
        switch node {
        case .literal, .any, .charClass, .group: write(node)
        default: writeGrouped(node)
        }
    }

    private mutating func writeGrouped(_ node: RegexNode) {
        text += "(?:"
        write(node)
        text += ")"
    }

    private static func quantifier(_ least: Int, _ most: Int?) -> String {
        switch (least, most) {
        case (0, nil): "*"
        case (1, nil): "+"
        case (0, 1): "?"
        case (let least, nil): "{\(least),}"
        case (let least, let most?): least == most ? "{\(least)}" : "{\(least),\(most)}"
        }
    }

    private mutating func write(_ made: RegexClass) {
        let body = made.ranges.map { range in
            let low = RegexPrinter.inClass(range.lowerBound)
            return range.count == 1 ? low : low + "-" + RegexPrinter.inClass(range.upperBound)
        }.joined()
        // An empty class matches nothing; its negation anything at all.
        guard !made.ranges.isEmpty else {
            text += made.isNegated ? "(?s:.)" : "[^\\x{0}-\\x{10FFFF}]"
            return
        }
        let bracket = (made.isNegated ? "[^" : "[") + body + "]"
        text += made.fold ? "(?i:\(bracket))" : bracket
    }

    private static func inClass(_ value: UInt32) -> String {
        guard value < 0xd800 || value > 0xdfff, let scalar = Unicode.Scalar(value) else {
            return "\\x{" + String(value < 0xd800 || value > 0xdfff ? value : 0xd7ff, radix: 16) + "}"
        }
        return escaped(scalar)
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        let isWord = (scalar.value | 32 >= 97 && scalar.value | 32 <= 122) || (scalar.value >= 48 && scalar.value <= 57)
        if isWord || scalar == "_" || scalar == " " { return String(scalar) }
        if scalar.value < 32 || scalar.value >= 127 { return "\\x{" + String(scalar.value, radix: 16) + "}" }
        return "\\" + String(scalar)
    }
}
