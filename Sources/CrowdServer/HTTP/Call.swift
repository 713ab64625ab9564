import CrowdCore
import HTTPTypes

/// One request on its way through a route.
struct Call: Sendable {
    var method: HTTPRequest.Method
    var parameters: [String: String]
    var query: QueryParameters
    var headers: HTTPFields
    /// Inflated.
    var body: [UInt8]
    /// The client as the forwarding rules see it.
    var client: IPAddress
    var caller: Caller
    var now: Timestamp

    var userAgent: String { headers[.userAgent] ?? "" }
    var isHead: Bool { method == .head }
}

/// Who is asking.
enum Caller: Sendable {
    case anyone
    case machine(String)
    case bouncer(BouncerIdentity)
    /// A certificate that names a machine or a bouncer; only the login route takes it.
    case certificate(CertificateName)
}
