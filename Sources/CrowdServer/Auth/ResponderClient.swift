import CrowdCore
import NIOCore

/// One HTTP exchange with an OCSP responder. Nearly all are reached over plain HTTP, their answers being signed.
struct ResponderClient {
    private static let timeout = GoDuration.seconds(5)
    private static let maxAnswerBytes = 65_536

    private let exchange: WebExchange

    /// nil for anything but `http[s]://HOST[:PORT][/PATH]`.
    ///
    /// - Parameter authorities: certificates in PEM form that are trusted beside the system's.
    init?(_ url: String, body: [UInt8], authorities: [UInt8] = []) {
        let headers = [(name: "Content-Type", value: "application/ocsp-request")]
        guard var exchange = WebExchange(WebQuestion("POST", url, headers: headers, body: body)) else { return nil }
        exchange.patience = Self.timeout
        exchange.bodyBytes = Self.maxAnswerBytes
        exchange.authorities = authorities
        self.exchange = exchange
    }

    /// The body of a 200; nil for any other answer, none, or one that takes too long.
    func answer() async -> [UInt8]? {
        guard let answer = try? await exchange.begin().get(), answer.status == 200 else { return nil }
        return answer.body
    }
}
