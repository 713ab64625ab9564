import CrowdCore
import CrowdHTTP
import Glibc

/// Where the engine listens: `unix:///var/run/docker.sock`, `tcp://host:2375`.
struct DockerHost: Sendable, Equatable, CustomStringConvertible {
    private static let defaultSocket = "/var/run/docker.sock"

    var endpoint: HTTPEndpoint

    /// - Parameter text: empty for what the environment says (`DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`), or
    ///   else the socket of this host.
    init(_ text: String) throws(ConfigError) {
        let given = text.isEmpty ? Self.environment("DOCKER_HOST") ?? "unix://" + Self.defaultSocket : text
        let agent = SuiteVersion.userAgent("crowdsec")
        if given.hasPrefix("unix://") {
            let path = String(given.dropFirst("unix://".count))
            guard path.hasPrefix("/") else { throw ConfigError("docker_host '\(given)' names no absolute path") }
            endpoint = HTTPEndpoint(socketPath: path, userAgent: agent)
            return
        }
        let certificates = Self.environment("DOCKER_CERT_PATH")
        let isEncrypted = Self.environment("DOCKER_TLS_VERIFY") != nil || given.hasPrefix("https://")
        guard let scheme = ["tcp://", "http://", "https://"].first(where: { given.hasPrefix($0) }),
            given.count > scheme.count
        else { throw ConfigError("docker_host '\(given)': unix:// or tcp:// expected") }
        endpoint = HTTPEndpoint(
            baseURL: (isEncrypted ? "https://" : "http://") + given.dropFirst(scheme.count), userAgent: agent)
        if isEncrypted, let certificates {
            endpoint.caPath = certificates + "/ca.pem"
            endpoint.certPath = certificates + "/cert.pem"
            endpoint.keyPath = certificates + "/key.pem"
        }
    }

    var description: String { endpoint.socketPath ?? endpoint.baseURL }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
