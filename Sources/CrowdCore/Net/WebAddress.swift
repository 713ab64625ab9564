/// Just enough of a URL to tell servers apart and to follow a redirect.
public struct WebAddress: Equatable, Sendable {
    public let scheme: String
    /// Host and port, in lower case, without user and password.
    public let host: String
    /// It names a user, or a password too.
    public let hasUser: Bool
    /// From the slash after the host on, without the fragment.
    public let path: String

    public var server: String { scheme + "://" + host }

    public init?(_ url: String) {
        guard let colon = url.range(ofFirst: "://") else { return nil }
        scheme = url[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = url[colon.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let at = authority.lastIndex(of: "@")
        hasUser = at != nil
        host = authority[(at.map { authority.index(after: $0) } ?? authority.startIndex)...].lowercased()
        guard !host.isEmpty else { return nil }
        let tail = rest.dropFirst(authority.count)
        path = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }

    /// A `Location` as seen from here; nil when it is of another scheme.
    func resolved(_ location: String) -> String? {
        if location.contains("://") { return WebAddress(location).map { _ in location } }
        if location.hasPrefix("//") { return scheme + ":" + location }
        if location.hasPrefix("/") { return server + location }
        let plain = path.prefix { $0 != "?" }
        if location.hasPrefix("?") { return server + plain + location }
        let folder = plain[...(plain.lastIndex(of: "/") ?? plain.startIndex)]
        return server + folder + location
    }
}
