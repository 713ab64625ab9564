import CrowdCore

/// Why the hub cannot be used, or an operation on it was refused.
public enum HubError: Error, Equatable, Sendable {
    /// The index is not there or not an index.
    case unreadableIndex(String)
    /// An entry of the index lacks what it needs.
    case invalidIndex(ItemID, lacks: String)
    case invalidVersion(ItemID, String)
    case circularDependency(ItemID)
    /// The source answered, but not with the file.
    case badStatus(Int, url: String)
    case unreachable(String, url: String)
    /// The bytes are not those that the index promises.
    case wrongDigest(ItemID, expected: String, got: String)
    case noDigest(ItemID)
    /// An item's own text is not what it has to be.
    case badItem(ItemID, String)
    /// The file system refused.
    case file(String)
    case refused(String)
}

extension HubError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadableIndex(let text): "invalid hub index: \(text)"
        case .invalidIndex(let item, let lacks): "invalid hub index: \(item) has no \(lacks)."
        case .invalidVersion(let item, let version):
            "failed to sync \(item): while sorting versions: \(version): Invalid Semantic Version"
        case .circularDependency(let item): "circular dependency detected: \(item) depends on itself"
        case .badStatus(let status, let url): "bad http code \(status) for \(url)"
        case .unreachable(let reason, let url): "failed http request for \(url): \(reason)"
        case .wrongDigest(let item, let expected, let got):
            "\(item): hash mismatch: expected \(expected), got \(got)"
        case .noDigest(let item): "\(item): the index has no digest for its latest version, not downloading"
        case .badItem(let item, let reason): "\(item): \(reason)"
        case .file(let text), .refused(let text): text
        }
    }

    init(_ error: ConfigError) { self = .file(error.description) }
}
