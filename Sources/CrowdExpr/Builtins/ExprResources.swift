public import CrowdCore

/// What CrowdSec's helper functions need from the process they run in: data files and caches.
///
/// Passed in when an environment is made; there is no global state behind an expression.
public protocol ExprResources: Sendable {
    /// The lines of a `type: string` data file, nil when it was not loaded.
    func lines(of file: String) -> ListValue?
    /// Whether a pattern of a `type: regexp` data file matches, nil when it was not loaded.
    func patternMatches(_ file: String, _ subject: ByteSlice) -> Bool?
    /// The rows of a `type: map` data file as objects, nil when it was not loaded.
    func rows(of file: String) -> ListValue?
    /// The tag of the row of a `type: map` data file that fits, nil when the file was not loaded.
    func lookUp(_ subject: ByteSlice, in file: String) -> ByteSlice?
    /// What a stash holds under that key, copied into `arena`; nil when there is no such entry.
    func stashed(_ key: ByteSlice, in stash: String, arena: Arena) -> ByteSlice?
    /// How many decisions concern a value; nil where there is no decision store.
    func decisions(_ value: String, since: GoDuration?, activeOnly: Bool) -> Int?
    /// Tells the operator of something an expression did wrong; called rarely.
    func report(_ message: String)
}

/// Nothing loaded: what expressions outside an agent see.
public struct NoResources: ExprResources {
    public init() {}
    public func lines(of file: String) -> ListValue? { nil }
    public func patternMatches(_ file: String, _ subject: ByteSlice) -> Bool? { nil }
    public func rows(of file: String) -> ListValue? { nil }
    public func lookUp(_ subject: ByteSlice, in file: String) -> ByteSlice? { nil }
    public func stashed(_ key: ByteSlice, in stash: String, arena: Arena) -> ByteSlice? { nil }
    public func decisions(_ value: String, since: GoDuration?, activeOnly: Bool) -> Int? { nil }
    public func report(_ message: String) {}
}

/// The helper functions that CrowdSec adds to the language (engine facts D.5).
public enum CrowdSecFunctions {
    public static func all(_ resources: some ExprResources = NoResources()) -> [Function] {
        texts + addresses + extraction + conversions + lists + files(resources) + stores(resources)
    }
}
