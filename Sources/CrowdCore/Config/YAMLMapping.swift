/// A mapping being read field by field. A field that is absent or null gives `nil`, so that defaults can live at the
/// property: `level = try yaml.string("level") ?? level`.
public struct YAMLMapping: Sendable {
    public struct Entry: Sendable {
        public var key: String
        public var mark: SourceMark
        public var value: YAMLNode
    }

    /// CrowdSec's name of the structure this is read into.
    public let type: String
    public let mark: SourceMark
    /// In file order.
    public let entries: [Entry]

    /// The value of a key, unless it is absent. Linear: mappings that are read field by field are small.
    public subscript(_ key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }

    /// The value of a key, unless it is absent or null.
    public func present(_ key: String) -> YAMLNode? { self[key].flatMap { $0.isNull ? nil : $0 } }

    public func string(_ key: String) throws(ConfigError) -> String? { try present(key)?.string() }
    public func strings(_ key: String) throws(ConfigError) -> [String]? { try present(key)?.strings() }
    public func bool(_ key: String) throws(ConfigError) -> Bool? { try present(key)?.bool() }
    public func int(_ key: String) throws(ConfigError) -> Int? { try present(key)?.int() }
    public func double(_ key: String) throws(ConfigError) -> Double? { try present(key)?.double() }

    public func duration(_ key: String, allowingDays: Bool = false) throws(ConfigError) -> GoDuration? {
        try present(key)?.duration(allowingDays: allowingDays)
    }

    /// An integer within `range`.
    public func int(_ key: String, in range: ClosedRange<Int>) throws(ConfigError) -> Int? {
        guard let node = present(key) else { return nil }
        let value = try node.int()
        guard range.contains(value) else {
            throw ConfigError("\(key) must be within \(range.lowerBound) and \(range.upperBound)", at: node.mark)
        }
        return value
    }

    /// A string that names a case of `Choice`.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _: Choice.Type = Choice.self
    ) throws(ConfigError) -> Choice? where Choice.RawValue == String {
        guard let node = present(key) else { return nil }
        let text = try node.string()
        if let value = Choice(rawValue: text) { return value }
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw ConfigError("\(key) '\(text)' is not one of \(known)", at: node.mark)
    }

    public func requiredString(_ key: String) throws(ConfigError) -> String {
        guard let value = try string(key), !value.isEmpty else { throw missing(key) }
        return value
    }

    public func requiredStrings(_ key: String) throws(ConfigError) -> [String] {
        guard let value = try strings(key), !value.isEmpty else { throw missing(key) }
        return value
    }

    public func required(_ key: String) throws(ConfigError) -> YAMLNode {
        guard let node = present(key) else { throw missing(key) }
        return node
    }

    public func missing(_ key: String) -> ConfigError {
        ConfigError("missing required field \(key) in \(type)", at: mark)
    }
}
