public import CrowdCore
public import CrowdText

/// What CrowdSec's helper functions need from the process they run in: data files and caches.
///
/// Passed in when an environment is made; there is no global state behind an expression.
public protocol ExprResources: Sendable {
    /// The lines of a `type: string` data file, nil when it was not loaded.
    func lines(of file: String) -> ListValue?
    /// The patterns of a `type: regexp` data file, nil when it was not loaded.
    func patterns(of file: String) -> PatternSet?
    /// The rows of a `type: map` data file as objects, nil when it was not loaded.
    func rows(of file: String) -> ListValue?
    /// The tag of the row of a `type: map` data file that fits, nil when the file was not loaded.
    func lookUp(_ subject: ByteSlice, in file: String) -> ByteSlice?
    /// What a stash holds under that key, copied into `arena`; nil when there is no such entry.
    func stashed(_ key: ByteSlice, in stash: String, arena: Arena) -> ByteSlice?
    /// How many decisions concern a value; nil where there is no decision store.
    func decisions(_ value: String, since: GoDuration?, activeOnly: Bool) -> Int?
    /// How long the longest decision about a value still lasts; nil where there is no decision store.
    func decisionTimeLeft(_ value: String) -> GoDuration?
    /// The addresses that a host name has; empty when none was found in time.
    func addresses(of host: String) -> [String]
    /// What the GeoIP databases say of an address, texts in `arena`; nil without a database or an entry.
    func geography(_ part: GeoPart, of address: IPAddress, arena: Arena) -> Value
    /// Asks web servers; nil where that is not allowed.
    var web: (any WebAccess)? { get }
    /// What CrowdSec's central service says of addresses; nil where it is not configured.
    var reputations: Reputations? { get }
    /// Whether a visitor is one of the bots of a `type: bots` data file; nil when it was not loaded.
    func isKnownBot(_ address: IPAddress, _ userAgent: ByteSlice, path: ByteSlice, in file: String) -> Bool?
    /// Tells the operator of something an expression did wrong; called rarely.
    func report(_ message: String)
}

/// Which record `geography` is to give, each with MaxMind's field names as Go spells them.
public enum GeoPart: Sendable {
    /// `.Country.IsoCode`, `.City.Names`, `.Location.Latitude`, …
    case city
    /// `.AutonomousSystemNumber`, `.AutonomousSystemOrganization`
    case system
    /// The network of the address's ASN record, as text.
    case range
    /// The ISO code of the country, as text.
    case country
}

/// What a process does not have, it leaves out.
extension ExprResources {
    public func lines(of file: String) -> ListValue? { nil }
    public func patterns(of file: String) -> PatternSet? { nil }
    public func rows(of file: String) -> ListValue? { nil }
    public func lookUp(_ subject: ByteSlice, in file: String) -> ByteSlice? { nil }
    public func stashed(_ key: ByteSlice, in stash: String, arena: Arena) -> ByteSlice? { nil }
    public func decisions(_ value: String, since: GoDuration?, activeOnly: Bool) -> Int? { nil }
    public func decisionTimeLeft(_ value: String) -> GoDuration? { nil }
    public func addresses(of host: String) -> [String] { [] }
    public func geography(_ part: GeoPart, of address: IPAddress, arena: Arena) -> Value { .null }
    public var web: (any WebAccess)? { nil }
    public var reputations: Reputations? { nil }
    public func isKnownBot(
        _ address: IPAddress, _ userAgent: ByteSlice, path: ByteSlice, in file: String
    ) -> Bool? { nil }
    public func report(_ message: String) {}
}

/// Nothing loaded: what expressions outside an agent see.
public struct NoResources: ExprResources {
    public init() {}
}

/// The helper functions that CrowdSec adds to the language (engine facts D.5).
public enum CrowdSecFunctions {
    public static func all(_ resources: some ExprResources = NoResources()) -> [Function] {
        texts + addresses + extraction + conversions + lists + files(resources) + stores(resources) + network(resources)
            + web(resources) + bots(resources) + injections
    }
}
