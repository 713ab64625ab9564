import CrowdCore
import CrowdStore
import CrowdTestSupport
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import CrowdServer

/// A Local API over a database of its own, asked through the router or over a live port.
struct ServerFixture {
    static let key = "test-key"
    static let defaultProfiles = """
        name: default_ip_remediation
        filters:
         - Alert.Remediation == true && Alert.GetScope() == "Ip"
        decisions:
         - type: ban
           duration: 4h
        on_success: break
        """

    let api: LocalAPI
    let store: any Store
    private let temporary: TemporaryDirectory
    private var directory: String { temporary.path }

    /// - Parameters:
    ///   - database: one of its own when nil.
    ///   - secret: what replicas have in common.
    ///   - wrap: puts something between the server and its store.
    init(
        profiles: String = defaultProfiles, database: DatabaseConfig? = nil, secret: [UInt8]? = nil,
        _ adjust: (inout LAPIServerConfig) -> Void = { _ in }, wrap: (any Store) -> any Store = { $0 }
    ) async throws {
        temporary = try TemporaryDirectory()
        let directory = temporary.path
        try temporary.write("profiles.yaml", profiles)
        let yaml = """
            config_paths: {data_dir: \(directory), config_dir: \(directory)}
            api: {server: {listen_uri: "127.0.0.1:0", profiles_path: \(directory)/profiles.yaml}}
            """
        try temporary.write("config.yaml", yaml)
        var config = try #require(try SuiteConfig.load(path: directory + "/config.yaml").server)
        adjust(&config)
        store = wrap(try Database.store(try database ?? TestDatabase.sqlite.config(in: temporary)))
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        api = try LocalAPI(config: config, store: store, secret: secret, metrics: Metrics(), logger: quiet)
        try await store.write { session throws(StoreError) in
            guard try MachineQueries.find("agent", in: session) == nil else { return }
            var machine = MachineRecord(machineID: "agent", passwordHash: PasswordHash.make("secret", cost: 4) ?? "")
            machine.isValidated = true
            _ = try MachineQueries.insert(machine, at: .now(), in: session)
            let bouncer = BouncerRecord(name: "edge", keyHash: BouncerRecord.hash(ofKey: Self.key))
            _ = try BouncerQueries.insert(bouncer, at: .now(), in: session)
        }
        try await api.start()
    }

    /// Runs the body against the router, then over TCP; the second time on the same data.
    func test(_ setup: TestingSetup, _ body: @escaping @Sendable (Client) async throws -> Void) async throws {
        let application = Application(
            responder: LAPIResponder(api: api, isLocalSocket: true),
            server: LocalAPIService.builder(nil, ConnectionLimit(most: 1000)),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)))
        try await application.test(setup) { client in try await body(Client(http: client)) }
        await remove()
    }

    func remove() async { await store.close() }

    /// Requests as machines and bouncers make them.
    struct Client: Sendable {
        let http: any TestClientProtocol

        struct Answer: Sendable {
            var status: Int
            var text: String
            var headers: HTTPFields
            var json: JSON { (try? JSON.parse(Array(text.utf8))) ?? .null }
        }

        func send(
            _ method: HTTPRequest.Method, _ uri: String, _ headers: [(String, String)] = [], body: String? = nil
        ) async throws -> Answer {
            var fields = HTTPFields()
            for (name, value) in headers { if let name = HTTPField.Name(name) { fields[name] = value } }
            return try await http.execute(
                uri: uri, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) }
            ) { response in
                Answer(
                    status: Int(response.status.code), text: String(buffer: response.body), headers: response.headers)
            }
        }

        func logIn() async throws -> String {
            let answer = try await send(
                .post, "/v1/watchers/login", [("User-Agent", "crowdsec/v1.4.6-6~deb12u1+b1-linux-debian")],
                body: #"{"machine_id":"agent","password":"secret","scenarios":["a","b"]}"#)
            return answer.json["token"]?.string ?? ""
        }

        func asMachine(
            _ token: String, _ method: HTTPRequest.Method, _ uri: String, body: String? = nil
        ) async throws -> Answer {
            try await send(method, uri, [("Authorization", "Bearer \(token)")], body: body)
        }

        func asBouncer(_ method: HTTPRequest.Method, _ uri: String, _ extra: [(String, String)] = []) async throws
            -> Answer
        {
            try await send(
                method, uri, [("X-Api-Key", ServerFixture.key), ("User-Agent", "crowdsec-firewall-bouncer/-")] + extra)
        }
    }

    /// A ban of one address, as `cscli decisions add` posts it.
    static func ban(_ value: String, scope: String = "Ip", duration: String = "4h", type: String = "ban") -> String {
        let now = Timestamp.now().rfc3339
        return """
            [{"capacity":0,"decisions":[{"duration":"\(duration)","origin":"cscli","scenario":"manual","scope":"\(scope)",\
            "type":"\(type)","value":"\(value)"}],"events":[],"events_count":1,"labels":null,"leakspeed":"0",\
            "message":"manual","scenario":"manual","scenario_hash":"","scenario_version":"","simulated":false,\
            "source":{"scope":"\(scope)","value":"\(value)"},"start_at":"\(now)","stop_at":"\(now)"}]
            """
    }

    /// An alert of an agent, without decisions.
    static func attack(_ value: String, scope: String = "Ip", uuid: String = "") -> String {
        let now = Timestamp.now().rfc3339
        return """
            [{"capacity":5,"decisions":null,"events":[{"meta":[{"key":"source_ip","value":"\(value)"}],\
            "timestamp":"2026-11-21T08:17:29Z"}],"events_count":6,"labels":null,"leakspeed":"10s","message":"m",\
            "remediation":true,"scenario":"acme/ssh-bf","scenario_hash":"44","scenario_version":"0.1","uuid":"\(uuid)",\
            "simulated":false,"source":{"ip":"\(value)","scope":"\(scope)","value":"\(value)"},"start_at":"\(now)",\
            "stop_at":"\(now)"}]
            """
    }
}
