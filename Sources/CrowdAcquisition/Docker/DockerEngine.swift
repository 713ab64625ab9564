import CrowdCore
import CrowdHTTP

/// The Docker Engine's HTTP API, as far as logs need it.
struct DockerEngine: Sendable {
    /// What the engine says to a request it does not fulfil, or why it cannot be asked.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// nil when there was no answer.
        var status: Int?
    }

    struct Container: Sendable {
        var candidate: DockerSelector.Candidate
        var isRunning: Bool
        /// The swarm service that it belongs to.
        var service: String?
    }

    struct Details: Sendable {
        var isTTY: Bool
        var isRunning: Bool
        var created: Timestamp?
        var started: Timestamp?
    }

    /// What was asked of a log.
    struct LogRequest: Sendable {
        /// `containers/ID` or `services/ID`.
        var path: String
        var follows: Bool
        var since: Timestamp?
        var until: Timestamp?
        var output: Bool
        var errors: Bool
        var details = false
    }

    /// The newest version whose answers are known here; an older engine is asked in its own.
    private static let newestVersion = (major: 1, minor: 47)
    /// libcurl's limit is 49 days; then the log is asked for anew.
    private static let longest = GoDuration.seconds(24 * 3_600)

    private let control: HTTPClient
    /// Whoever reads logs may have to wait for the engine of this agent: they must not hold up questions.
    private let logs: HTTPClient
    private let prefix: String

    private init(_ host: DockerHost, prefix: String) {
        control = HTTPClient(host.endpoint)
        logs = HTTPClient(host.endpoint)
        self.prefix = prefix
    }

    /// Asks which version both sides understand.
    static func connect(_ host: DockerHost) async throws(Failure) -> DockerEngine {
        let first = DockerEngine(host, prefix: "")
        let answer = try await first.get("version")
        let parts = (answer["ApiVersion"]?.string ?? "").split(separator: ".").compactMap { Int($0) }
        guard parts.count == 2 else { throw Failure(description: "\(host) is no Docker Engine") }
        let isOlder = (parts[0], parts[1]) < (newestVersion.major, newestVersion.minor)
        let version = isOlder ? (parts[0], parts[1]) : (newestVersion.major, newestVersion.minor)
        return DockerEngine(host, prefix: "v\(version.0).\(version.1)/")
    }

    /// Whether services can be asked for: only a manager of a swarm knows them.
    func isSwarmManager() async throws(Failure) -> Bool {
        try await get("info")["Swarm"]?["ControlAvailable"]?.bool ?? false
    }

    /// Running ones, and those that have ended.
    func containers() async throws(Failure) -> [Container] {
        try await get("containers/json?all=1").array?.compactMap { Container($0) } ?? []
    }

    /// nil when there is no such container.
    func details(of id: String) async throws(Failure) -> Details? {
        do {
            return Details(container: try await get("containers/\(id)/json"))
        } catch  where error.status == 404 {
            return nil
        }
    }

    func services() async throws(Failure) -> [DockerSelector.Candidate] {
        try await get("services").array?.compactMap { DockerSelector.Candidate(service: $0) } ?? []
    }

    /// nil when there is no such service.
    func serviceDetails(of id: String) async throws(Failure) -> Details? {
        do {
            return Details(service: try await get("services/\(id)"))
        } catch  where error.status == 404 {
            return nil
        }
    }

    /// Reads a log to its end, or as long as it is written; `sink` false breaks it off.
    func readLog(
        _ log: LogRequest, _ sink: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Bool
    ) async throws(Failure) {
        var query = "follow=\(log.follows ? 1 : 0)&timestamps=1&details=\(log.details ? 1 : 0)"
        query += "&stdout=\(log.output ? 1 : 0)&stderr=\(log.errors ? 1 : 0)"
        if let since = log.since, since.nanoseconds > 0 { query += "&since=\(Self.text(since))" }
        if let until = log.until { query += "&until=\(Self.text(until))" }
        try await stream(logs, "\(log.path)/logs?\(query)", sink)
    }

    /// Calls `body` with each thing that happens to containers and services, from `since` on.
    func watchEvents(
        since: Timestamp, _ body: @escaping @Sendable (_ type: String, _ action: String, _ id: String) -> Void
    ) async throws(Failure) {
        let filters = #"{"type":["container","service"],"event":["start","die","destroy","create","remove"]}"#
        let splitter = DockerEventSplitter(body)
        try await stream(
            control, "events?since=\(Self.text(since))&filters=\(PercentEncoding.encode(filters))"
        ) { splitter.take($0) }
    }

    /// Seconds with nine digits behind the point.
    private static func text(_ time: Timestamp) -> String {
        let fraction = String(time.nanosecond)
        return "\(time.seconds)." + String(repeating: "0", count: 9 - fraction.utf8.count) + fraction
    }

    // MARK: requests

    private func get(_ path: String) async throws(Failure) -> JSON {
        let response = try await send(control, HTTPRequest(.get, prefix + path))
        guard let json = try? JSON.parse(response.body, maxDepth: 128) else {
            throw Failure(description: "/\(path): the answer is no JSON")
        }
        return json
    }

    private func stream(
        _ client: HTTPClient, _ path: String, _ sink: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Bool
    ) async throws(Failure) {
        var request = HTTPRequest(.get, prefix + path)
        request.timeout = Self.longest
        request.maxResponseBytes = .max
        request.bodySink = sink
        _ = try await send(client, request)
    }

    private func send(_ client: HTTPClient, _ request: HTTPRequest) async throws(Failure) -> HTTPResponse {
        let response: HTTPResponse
        do {
            response = try await client.send(request)
        } catch {
            throw Failure(description: "\(client.endpoint.socketPath ?? client.endpoint.baseURL): \(error)")
        }
        guard response.isSuccess else {
            let message = (try? JSON.parse(response.body))?["message"]?.string ?? String(response.text.prefix(200))
            throw Failure(description: "http code \(response.status): \(message)", status: response.status)
        }
        return response
    }
}

extension DockerEngine.Container {
    fileprivate init?(_ json: JSON) {
        guard let id = json["Id"]?.string else { return nil }
        let labels = DockerSelector.Candidate.labels(json["Labels"])
        candidate = DockerSelector.Candidate(
            id: id, names: (json["Names"]?.array ?? []).compactMap(\.string), image: json["Image"]?.string ?? "",
            labels: labels)
        isRunning = json["State"]?.string == "running"
        service = labels["com.docker.swarm.service.id"]
    }
}

extension DockerEngine.Details {
    fileprivate init(container json: JSON) {
        isTTY = json["Config"]?["Tty"]?.bool ?? false
        isRunning = json["State"]?["Running"]?.bool ?? false
        created = json["Created"]?.string.flatMap { Timestamp(rfc3339: $0) }
        started = json["State"]?["StartedAt"]?.string.flatMap { Timestamp(rfc3339: $0) }
    }

    fileprivate init(service json: JSON) {
        isTTY = json["Spec"]?["TaskTemplate"]?["ContainerSpec"]?["TTY"]?.bool ?? false
        isRunning = true
        created = json["CreatedAt"]?.string.flatMap { Timestamp(rfc3339: $0) }
        started = created
    }
}

extension DockerSelector.Candidate {
    fileprivate init?(service json: JSON) {
        guard let id = json["ID"]?.string else { return nil }
        self.init(
            id: id, names: [json["Spec"]?["Name"]?.string].compactMap { $0 },
            image: json["Spec"]?["TaskTemplate"]?["ContainerSpec"]?["Image"]?.string ?? "",
            labels: Self.labels(json["Spec"]?["Labels"]))
    }

    fileprivate static func labels(_ json: JSON?) -> [String: String] {
        guard case .object(let members)? = json else { return [:] }
        return Dictionary(members.map { ($0.key, $0.value.string ?? "") }) { _, last in last }
    }
}
