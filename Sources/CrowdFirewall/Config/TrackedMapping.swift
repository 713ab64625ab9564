internal import CrowdCore

/// A mapping that remembers which of its keys were asked for.
struct TrackedMapping {
    private let mapping: YAMLMapping
    private var known: Set<String>

    init(_ mapping: YAMLMapping, ignored: [String]) {
        self.mapping = mapping
        known = Set(ignored)
    }

    /// The value of a key, unless absent or null.
    mutating func take(_ key: String) -> YAMLNode? {
        known.insert(key)
        return mapping.present(key)
    }

    /// A string that is not empty.
    mutating func text(_ key: String) throws(ConfigError) -> String? {
        let text = try take(key)?.string()
        return text?.isEmpty == true ? nil : text
    }

    /// A string that names a case of `Choice`.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ key: String) throws(ConfigError) -> Choice?
    where Choice.RawValue == String {
        known.insert(key)
        return try mapping.choice(key)
    }

    var leftOver: [YAMLMapping.Entry] { mapping.entries.filter { !known.contains($0.key) } }
}
