import CrowdCore

/// What the routes need of `api.server`, in the form they use.
struct ServerSettings: Sendable {
    var trustedIPs: [IPRange]
    var usesForwardedFor: Bool
    var trustedProxies: [IPRange]
    var disablesRemoteRegistration: Bool
    var autoRegistration: LAPIServerConfig.AutoRegistration
    var agentsAllowedOU: [String]
    var bouncersAllowedOU: [String]

    init(_ config: LAPIServerConfig) {
        trustedIPs = config.trustedIPs
        usesForwardedFor = config.usesForwardedForHeaders
        trustedProxies = config.trustedProxies
        disablesRemoteRegistration = config.disablesRemoteRegistration
        autoRegistration = config.autoRegistration
        agentsAllowedOU = config.tls?.agentsAllowedOU ?? []
        bouncersAllowedOU = config.tls?.bouncersAllowedOU ?? []
    }

    /// Whether the client may delete alerts: local ones always may.
    func trusts(_ client: IPAddress) -> Bool {
        Self.isLoopback(client) || trustedIPs.contains { $0.contains(client) }
    }

    /// What peers of a unix socket count as.
    static let loopback = IPAddress(v4: 0x7F00_0001)

    static func isLoopback(_ address: IPAddress) -> Bool {
        address == loopback || address == IPAddress(v6High: 0, low: 1)
    }

    /// The client's address behind trusted proxies (protocol facts A.1): the header is walked from right to left.
    func client(peer: IPAddress, forwardedFor: [String], realIP: String?) -> IPAddress {
        guard usesForwardedFor, isProxy(peer) else { return peer }
        let hops = forwardedFor.joined(separator: ",").split(separator: ",", omittingEmptySubsequences: false)
        var last: IPAddress?
        for hop in hops.reversed() {
            guard let address = IPAddress(hop.trimmingSpaces())?.unmapped else {
                last = nil
                break
            }
            last = address
            if !isProxy(address) { break }
        }
        return last ?? realIP.flatMap { IPAddress($0.trimmingSpaces())?.unmapped } ?? peer
    }

    private func isProxy(_ address: IPAddress) -> Bool {
        trustedProxies.isEmpty || trustedProxies.contains { $0.contains(address) }
    }
}

extension StringProtocol {
    fileprivate func trimmingSpaces() -> String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
