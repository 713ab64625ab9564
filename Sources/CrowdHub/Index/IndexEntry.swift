public import CrowdCore

/// What the index says about one item.
public struct IndexEntry: Sendable {
    public let id: ItemID
    /// Below the hub's root: `parsers/s01-parse/crowdsecurity/nginx-logs.yaml`.
    public var path = ""
    public var stage = ""
    /// The latest.
    public var version = ""
    /// The SHA-256 of every version's file, in lower-case hexadecimal.
    public var digests: [String: String] = [:]
    /// The file itself as base64, where the index carries contents.
    public var content: String?
    public var description = ""
    public var author = ""
    public var labels: JSON?
    public var references: [String] = []
    public var dependencies = Dependencies()

    public init(_ id: ItemID) { self.id = id }

    public var fileName: String { String(path.split(separator: "/").last ?? "") }
    public var latestDigest: String? { digests[version] }
}

/// The items that a collection consists of.
public struct Dependencies: Sendable, Equatable {
    private var names: [ItemType: [String]] = [:]

    public init() {}

    public subscript(_ type: ItemType) -> [String] {
        get { names[type] ?? [] }
        set { names[type] = newValue.isEmpty ? nil : newValue }
    }

    public var isEmpty: Bool { names.isEmpty }
    /// In the order of the types.
    public var all: [ItemID] { ItemType.allCases.flatMap { type in self[type].map { ItemID(type, $0) } } }
}
