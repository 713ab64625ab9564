/// The kinds of hub items, in the order in which they are processed and listed (engine facts H.1).
public enum ItemType: String, CaseIterable, Sendable {
    case parsers, postoverflows, scenarios, contexts
    case appsecConfigs = "appsec-configs"
    case appsecRules = "appsec-rules"
    case collections

    /// Items of these types lie in the folder of a stage.
    public var hasStages: Bool { self == .parsers || self == .postoverflows }

    /// The type's place in the order of processing.
    public var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// `parser`, as the commands call one of them.
    public var singular: String { String(rawValue.dropLast()) }
}

/// An item's type and name: `parsers:crowdsecurity/sshd-logs`.
public struct ItemID: Hashable, Sendable, CustomStringConvertible {
    public let type: ItemType
    public let name: String

    public init(_ type: ItemType, _ name: String) {
        self.type = type
        self.name = name
    }

    public var description: String { "\(type.rawValue):\(name)" }
}
