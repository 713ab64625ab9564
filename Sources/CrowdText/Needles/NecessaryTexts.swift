extension RegexNode {
    /// Texts of which one must occur wherever the pattern matches, ASCII case aside; nil when none is known.
    ///
    /// The longest stretch of plain characters of a concatenation; for an alternation one of each branch.
    var necessaryTexts: [String]? {
        switch self {
        case .literal, .concatenation: NecessaryTexts.best(of: flattened)
        case .group(_, let inner): inner.necessaryTexts
        case .repetition(let inner, let least, _, _): least > 0 ? inner.necessaryTexts : nil
        case .alternation(let branches): NecessaryTexts.union(branches)
        default: nil
        }
    }

    /// The parts of a concatenation, those of inner ones and of single groups among them.
    var flattened: [RegexNode] {
        switch self {
        case .concatenation(let parts): parts.flatMap(\.flattened)
        case .group(_, .alternation): [self]
        case .group(_, let inner): inner.flattened
        default: [self]
        }
    }
}

private enum NecessaryTexts {
    static let most = 256

    static func best(of parts: [RegexNode]) -> [String]? {
        var best: [String]?
        var run = ""
        func offer(_ texts: [String]?) {
            guard let texts, let least = texts.map(\.utf8.count).min(), least > 0 else { return }
            if least > best?.map(\.utf8.count).min() ?? 0 { best = texts }
        }
        for part in parts {
            // Characters beyond ASCII are left out: text that is not UTF-8 is matched as if repaired.
            if case .literal(let scalar, _) = part, scalar.isASCII {
                run.unicodeScalars.append(scalar)
                continue
            }
            offer([run])
            run = ""
            if case .literal = part { continue }
            offer(part.necessaryTexts)
        }
        offer([run])
        return best
    }

    static func union(_ branches: [RegexNode]) -> [String]? {
        var all: [String] = []
        for branch in branches {
            guard let texts = branch.necessaryTexts, all.count + texts.count <= most else { return nil }
            all += texts
        }
        return all
    }
}

/// What a pattern of Go's dialect needs to match.
public enum PatternNeeds {
    /// Texts of which one must occur, ASCII case aside, wherever `pattern` matches; nil when none is known.
    public static func texts(of pattern: String) -> [String]? {
        RegexParser.parse(pattern).flatMap(\.tree.necessaryTexts)
    }
}
