public import CrowdCore

/// One entry of the Local API's allowlists (protocol facts A.10).
public struct AllowlistItem: Equatable, Sendable {
    public var range: IPRange
    /// `nil`: never.
    public var expiration: Timestamp?

    /// What is sent for "never".
    private static let never = "0001-01-01"

    /// Entries of all lists; what is neither address nor range is left out.
    static func items(_ json: JSON) -> [AllowlistItem] {
        (json.array ?? []).flatMap { $0["items"]?.array ?? [] }.compactMap { item in
            guard let range = item["value"]?.string.flatMap({ IPRange($0) }) else { return nil }
            let end = item["expiration"]?.string.flatMap { $0.hasPrefix(never) ? nil : Timestamp(rfc3339: $0) }
            return AllowlistItem(range: range, expiration: end)
        }
    }
}
