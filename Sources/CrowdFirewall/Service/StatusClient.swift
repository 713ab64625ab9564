public import CrowdCore
internal import CrowdHTTP

/// Asks the bouncer that runs on this host.
public enum StatusClient {
    /// - Throws: `ConfigError` when none answers.
    public static func status(_ config: FirewallConfig) async throws(ConfigError) -> BouncerStatus {
        let endpoint = HTTPEndpoint(
            socketPath: config.statusSocket, userAgent: "crowd-bouncer/\(SuiteVersion.current)")
        let client = HTTPClient(endpoint)
        do {
            let answer = try await client.send(HTTPRequest(.get, "/status"))
            guard answer.isSuccess else { throw ConfigError("the bouncer answers \(answer.status)") }
            return BouncerStatus(try JSON.parse(answer.body))
        } catch {
            throw ConfigError("no bouncer answers on \(config.statusSocket): \(error)")
        }
    }
}
