import CrowdCore

/// Which decisions a bouncer asks for (protocol facts A.7, A.8).
struct DecisionFilter: Hashable, Sendable {
    /// Both apply when both are given; names in their known form.
    var scope: [String]?
    var scopes: [String]?
    var value: String?
    var type: String?
    var origins: [String]?
    /// Lower case.
    var scenariosContaining: [String]?
    var scenariosNotContaining: [String]?
    var range: IPRange?
    /// True: decisions that cover `range`; false: decisions inside it.
    var contains = true
    var includesSimulated = false
    /// One row for each value, type and scope: the one that lasts longest.
    var deduplicates = true

    init() {}

    /// What a stream bouncer that names nothing gets.
    static let stream: Self = {
        var filter = Self()
        filter.scopes = ["Ip", "Range"]
        return filter
    }()

    /// Whether decisions of this kind can pass; the rest is decided by each decision itself.
    func accepts(_ entry: DecisionKinds.Entry) -> Bool {
        let kind = entry.kind
        if let scope, !scope.contains(kind.scope) { return false }
        if let scopes, !scopes.contains(kind.scope) { return false }
        if let type, kind.type != type { return false }
        if let origins, !origins.contains(kind.origin) { return false }
        if let words = scenariosContaining, !words.contains(where: { Self.holds(entry.lowerScenario, $0) }) {
            return false
        }
        if let words = scenariosNotContaining, words.contains(where: { Self.holds(entry.lowerScenario, $0) }) {
            return false
        }
        return true
    }

    /// By their bytes: there may be thousands of words, and of kinds.
    private static func holds(_ text: String, _ word: String) -> Bool {
        var (text, word) = (text, word)
        return text.withUTF8 { text in word.withUTF8 { ByteSlice(text).contains(ByteSlice($0)) } }
    }

    func acceptsItself(_ entry: DecisionEntry) -> Bool {
        if entry.isSimulated && !includesSimulated { return false }
        if let value, entry.value != value { return false }
        guard let range else { return true }
        guard let own = entry.range, own.first.isV6 == range.first.isV6 else { return false }
        return contains ? own.contains(range) : range.contains(own)
    }
}
