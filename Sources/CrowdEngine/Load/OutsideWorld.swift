public import CrowdCore
public import CrowdExpr

/// What expressions may ask of other hosts: handed to the loader by the program that can.
public struct OutsideWorld: Sendable {
    /// Nil: `HTTPGet` and its kin fail.
    public var web: (any WebAccess)?
    /// Nil: `CrowdsecCTI` fails.
    public var reputations: Reputations?
    var confirmedNames = ConfirmedNames { _ in nil }

    public init(web: (any WebAccess)? = nil, reputations: Reputations? = nil) {
        self.web = web
        self.reputations = reputations
    }

    /// With names from the resolver that enrichment asks.
    func naming(_ names: ReverseDNS) -> Self {
        var copy = self
        copy.confirmedNames = ConfirmedNames { names.name(of: $0) }
        return copy
    }
}
