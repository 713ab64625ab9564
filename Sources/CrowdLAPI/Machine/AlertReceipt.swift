internal import CrowdCore
internal import CrowdHTTP

/// What the Local API says about alerts it has taken.
public struct AlertReceipt: Equatable, Sendable {
    /// An alert of the request that it will never take, while it has taken others (docs/protocol-extensions.md).
    public struct Refused: Equatable, Sendable {
        /// Where it stood in the request.
        public var index: Int
        public var reason: String
    }

    /// Of those that are stored, as the Local API prints them.
    public var ids: [String]
    public var refused: [Refused] = []

    public init(ids: [String], refused: [Refused] = []) {
        self.ids = ids
        self.refused = refused
    }

    /// Names of refused alerts that cannot be read are none: what the header says is a help, the answer is the body.
    init(_ response: HTTPResponse) throws(LAPIError) {
        guard case .array(let ids)? = try? JSON.parse(response.body) else {
            throw .badAnswer(String(response.text.prefix(100)))
        }
        self.init(ids: ids.compactMap(\.string))
        guard let text = response["X-Crowd-Refused"] else { return }
        refused = ((try? JSON.parse(Array(text.utf8)))?.array ?? []).compactMap { item in
            guard let index = item["index"]?.int, index >= 0 else { return nil }
            return Refused(index: Int(index), reason: item["reason"]?.string ?? "no reason given")
        }
    }
}
