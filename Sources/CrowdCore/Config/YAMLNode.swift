/// One node of a YAML document: text as written, style and place. What a scalar *means* is decided by the field it is
/// read into (`value: off` stays the string "off" in a rule and is false in `simulation: off`), as in go-yaml.
public struct YAMLNode: Sendable {
    public enum Content: Sendable {
        /// `plain` is false for quoted and block scalars and for those tagged `!!str`.
        case scalar(text: String, plain: Bool)
        case sequence([YAMLNode])
        /// In file order, keys unique.
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    public var content: Content
    public var mark: SourceMark

    public init(_ content: Content, at mark: SourceMark) {
        self.content = content
        self.mark = mark
    }

    /// An empty value, `~` or `null`, unquoted.
    public var isNull: Bool {
        guard case .scalar(let text, plain: true) = content else { return false }
        return YAMLScalar.isNull(text)
    }

    /// A scalar's text; numbers and booleans are accepted as they are written.
    public func string() throws(ConfigError) -> String {
        guard case .scalar(let text, _) = content else { throw mismatch("string") }
        return isNull ? "" : text
    }

    /// A YAML 1.1 boolean (`true yes on y` and their opposites in their three spellings).
    public func bool() throws(ConfigError) -> Bool {
        guard case .scalar(let text, plain: true) = content, let value = YAMLScalar.bool(text) else {
            throw mismatch("bool")
        }
        return value
    }

    /// A YAML 1.1 integer, or a float without a fraction.
    public func int() throws(ConfigError) -> Int {
        guard case .scalar(let text, plain: true) = content, let value = YAMLScalar.int(text) else {
            throw mismatch("int")
        }
        return value
    }

    public func double() throws(ConfigError) -> Double {
        guard case .scalar(let text, plain: true) = content, let value = YAMLScalar.double(text) else {
            throw mismatch("float64")
        }
        return value
    }

    /// A Go duration (`10s`, `1h30m`), with a leading number of days (`7d`) where `allowingDays` says so.
    public func duration(allowingDays: Bool = false) throws(ConfigError) -> GoDuration {
        guard case .scalar(let text, _) = content else { throw mismatch("time.Duration") }
        guard let value = GoDuration(text, allowingDays: allowingDays) else {
            throw ConfigError("time: invalid duration \"\(text)\"", at: mark)
        }
        return value
    }

    /// The items of a list; null is an empty list.
    public func sequence() throws(ConfigError) -> [YAMLNode] {
        if isNull { return [] }
        guard case .sequence(let items) = content else { throw mismatch("list") }
        return items
    }

    /// A list of scalars as text.
    public func strings() throws(ConfigError) -> [String] {
        var texts: [String] = []
        for item in try sequence() { texts.append(try item.string()) }
        return texts
    }

    /// The mapping whose keys are all in `known`; null is an empty mapping.
    ///
    /// - Parameter type: CrowdSec's name of the structure, for the message of an unknown key.
    public func mapping(type: String, known: [String]) throws(ConfigError) -> YAMLMapping {
        let mapping = try anyMapping(type: type)
        for entry in mapping.entries where !known.contains(entry.key) {
            throw ConfigError("field \(entry.key) not found in type \(type)", at: entry.mark)
        }
        return mapping
    }

    /// The mapping with whatever keys it has.
    public func anyMapping(type: String = "map[string]interface {}") throws(ConfigError) -> YAMLMapping {
        if isNull { return YAMLMapping(type: type, mark: mark, entries: []) }
        guard case .mapping(let pairs) = content else { throw mismatch(type) }
        var entries: [YAMLMapping.Entry] = []
        entries.reserveCapacity(pairs.count)
        for pair in pairs {
            entries.append(.init(key: try pair.key.string(), mark: pair.key.mark, value: pair.value))
        }
        return YAMLMapping(type: type, mark: mark, entries: entries)
    }

    /// go-yaml's sentence for a value that does not fit its field.
    func mismatch(_ type: String) -> ConfigError {
        switch content {
        case .scalar(let text, let plain):
            ConfigError(
                "cannot unmarshal !!\(plain ? YAMLScalar.tag(text) : "str") `\(text.prefix(40))` into \(type)", at: mark
            )
        case .sequence: ConfigError("cannot unmarshal !!seq into \(type)", at: mark)
        case .mapping: ConfigError("cannot unmarshal !!map into \(type)", at: mark)
        }
    }
}

extension YAMLNode: Equatable {
    /// Equal content; places do not count.
    public static func == (a: YAMLNode, b: YAMLNode) -> Bool {
        switch (a.content, b.content) {
        case (.scalar(let x, let plainX), .scalar(let y, let plainY)): x == y && plainX == plainY
        case (.sequence(let x), .sequence(let y)): x == y
        case (.mapping(let x), .mapping(let y)):
            x.count == y.count && zip(x, y).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }
}
