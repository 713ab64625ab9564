import CrowdCore

/// Why a grok pattern was refused.
public enum GrokError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownPattern(String, in: String)
    case duplicate(String)
    case empty(String)
    case tooLarge(String)
    case regex(RegexError)

    public var description: String {
        switch self {
        case .unknownPattern(let name, let owner): "grok pattern '\(owner)': the pattern %{\(name)} doesn't exist"
        case .duplicate(let name): "grok pattern '\(name)' already exists"
        case .empty(let name): "grok pattern '\(name)' is empty"
        case .tooLarge(let name): "grok pattern '\(name)' is too large once expanded"
        case .regex(let error): error.description
        }
    }
}

/// Named grok patterns, each expanded when it is registered (engine facts C.1 to C.3).
///
/// A reference is `%{NAME}` or `%{NAME:field}`, nothing else; it becomes one capturing group. A field's group is known
/// by the place of its parenthesis, so no counting can go wrong.
public struct GrokLibrary: Sendable {
    static let maxExpansion = 1 << 20

    struct Expansion: Sendable {
        var text = ""
        /// Field to the scalar offset of its group's parenthesis.
        var fields: [(name: String, offset: Int)] = []

        mutating func set(_ name: String, _ offset: Int) {
            if let index = fields.firstIndex(where: { $0.name == name }) {
                fields[index].offset = offset
            } else {
                fields.append((name, offset))
            }
        }
    }

    private var patterns: [String: Expansion] = [:]
    private var compiled = 0
    private let accelerated: Bool

    /// - Parameter accelerated: false leaves all matching to RE2.
    public init(accelerated: Bool = true) { self.accelerated = accelerated && HybridPattern.isJITAvailable }

    public var count: Int { patterns.count }
    /// How many patterns were compiled: the size that a `PatternScratch` must have.
    public var compiledCount: Int { compiled }
    public var usesJIT: Bool { accelerated }

    /// Registers a pattern under a name that is not taken; it may refer only to names registered before.
    public mutating func register(_ name: String, _ text: String) throws(GrokError) {
        guard patterns[name] == nil else { throw .duplicate(name) }
        guard !text.isEmpty else { throw .empty(name) }
        patterns[name] = try expand(text, owner: name)
    }

    /// Reads lines `NAME pattern`; others are ignored. Lines may come in any order: one that refers to a later one is
    /// tried again after it.
    ///
    /// - Returns: the patterns left out, each with its reason.
    public mutating func register(lines: String) -> [GrokError] {
        var waiting: [(name: String, text: String)] = []
        for line in lines.split(whereSeparator: \.isNewline) {
            let parts = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
            guard parts.count == 2, parts[0].allSatisfy(GrokLibrary.isWord) else { continue }
            waiting.append((String(parts[0]), String(parts[1].drop { $0 == " " || $0 == "\t" })))
        }
        var errors: [GrokError] = []
        while !waiting.isEmpty {
            var deferred: [(name: String, text: String)] = []
            errors = []
            for (name, text) in waiting {
                do {
                    try register(name, text)
                } catch {
                    errors.append(error)
                    if case .unknownPattern = error { deferred.append((name, text)) }
                }
            }
            if deferred.count == waiting.count { break }
            waiting = deferred
        }
        return errors
    }

    /// Compiles an expression in which patterns are referred to.
    public mutating func compile(_ text: String) throws(GrokError) -> Grok {
        try compile(expand(text, owner: text))
    }

    /// Compiles a registered pattern by its name.
    public mutating func compile(named name: String) throws(GrokError) -> Grok {
        guard let expansion = patterns[name] else { throw .unknownPattern(name, in: name) }
        return try compile(expansion)
    }

    private mutating func compile(_ expansion: Expansion) throws(GrokError) -> Grok {
        do {
            let pattern = try HybridPattern(
                expansion.text, groups: expansion.fields.map(\.offset), number: compiled, accelerated: accelerated)
            compiled += 1
            return Grok(pattern: pattern, fields: expansion.fields.map(\.name), text: expansion.text)
        } catch {
            throw .regex(error)
        }
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }

    // MARK: expansion

    private func expand(_ text: String, owner: String) throws(GrokError) -> Expansion {
        var result = Expansion()
        var scalars = 0
        var rest = text[...]
        var own: Set<String> = []
        var ordered: [(name: String, offset: Int, own: Bool)] = []
        while let start = rest.range(ofFirst: "%{") {
            let literal = rest[..<start.lowerBound]
            result.text += literal
            scalars += literal.unicodeScalars.count
            guard let (name, field, end) = GrokLibrary.reference(rest[start.upperBound...]) else {
                result.text += "%{"
                scalars += 2
                rest = rest[start.upperBound...]
                continue
            }
            guard let inner = patterns[name] else { throw .unknownPattern(name, in: owner) }
            for entry in inner.fields { ordered.append((entry.name, scalars + 1 + entry.offset, false)) }
            if let field {
                ordered.append((field, scalars, true))
                own.insert(field)
            }
            result.text += "(" + inner.text + ")"
            scalars += inner.text.unicodeScalars.count + 2
            guard result.text.utf8.count <= GrokLibrary.maxExpansion else { throw .tooLarge(owner) }
            rest = rest[end...]
        }
        result.text += rest
        for entry in ordered where entry.own || !own.contains(entry.name) { result.set(entry.name, entry.offset) }
        return result
    }

    /// `NAME}` or `NAME:field}`: the parts and what follows.
    private static func reference(_ text: Substring) -> (name: String, field: String?, end: String.Index)? {
        guard let close = text.firstIndex(of: "}") else { return nil }
        let parts = text[..<close].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isWord) }) else { return nil }
        return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil, text.index(after: close))
    }
}

/// A compiled grok: the pattern and the names of its fields, in the order of `pattern.places`.
public struct Grok: Sendable {
    public let pattern: HybridPattern
    public let fields: [String]
    /// The whole regular expression, for people.
    public let text: String
}
