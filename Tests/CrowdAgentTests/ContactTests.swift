import CrowdCore
import CrowdLAPI
import CrowdTestSupport
import Logging
import Synchronization
import Testing

@testable import CrowdAgent

@Suite("Usage metrics of an agent") struct AgentUsageTests {
    private func items(_ body: [UInt8]) throws -> [String: Int64] {
        let processor = try #require(try JSON.parse(body)["log_processors"]?.array?.first)
        let metrics = try #require(processor["metrics"]?.array?.first)
        #expect(metrics["meta"]?["window_size_seconds"]?.int == 1_800)
        var found: [String: Int64] = [:]
        for item in metrics["items"]?.array ?? [] {
            guard case .object(let labels)? = item["labels"] else { continue }
            let text = labels.map { "\($0.key)=\($0.value.string ?? "")" }.sorted().joined(separator: " ")
            found["\(item["name"]?.string ?? "") \(item["unit"]?.string ?? "") \(text)"] = item["value"]?.int
        }
        return found
    }

    @Test func tellsDifferencesUnderTheReferencesNames() throws {
        let metrics = Metrics()
        let source = [("source", "/l"), ("datasource_type", "file"), ("acquis_type", "syslog")]
        let engine = [("source", "/l"), ("type", "file"), ("acquis_type", "syslog")]
        let node = engine + [("name", "crowdsecurity/sshd-logs"), ("stage", "s01-parse")]
        metrics.counter(.fileSourceHits, source).add(10)
        metrics.counter(.parserHitsOK, engine).add(7)
        metrics.counter(.parserHitsKO, engine).add(3)
        metrics.counter(.nodeHitsOK, node).add(6)
        metrics.counter(.nodeHitsKO, node).add(1)
        metrics.counter(.nodeWhitelistHitsOK, node).add(2)
        metrics.counter(.nodeHitsOK, engine + [("name", "child-x"), ("stage", "s01-parse")]).add(5)
        for format in ["rfc3164", "rfc5424"] {
            metrics.counter(
                .syslogSourceParsed,
                [("source", "::1:514"), ("type", format), ("datasource_type", "syslog"), ("acquis_type", "syslog")]
            ).add(4)
        }
        metrics.counter(
            .httpSourceHits, [("path", "/"), ("src", "192.0.2.1"), ("datasource_type", "http"), ("acquis_type", "j")]
        ).add(1)
        var usage = AgentUsage(metrics)
        let of = "acquis_type=syslog datasource_type=file"
        let first = try items(usage.body(.init()))
        #expect(
            first == [
                "read line \(of) source=/l": 10, "global_parsed line \(of) source=/l": 7,
                "global_unparsed line \(of) source=/l": 3,
                "parsed line \(of) parser_name=crowdsecurity/sshd-logs parser_stage=s01-parse source=/l": 6,
                "unparsed line \(of) parser_name=crowdsecurity/sshd-logs parser_stage=s01-parse source=/l": 1,
                "whitelisted event \(of) source=/l whitelist_name=crowdsecurity/sshd-logs whitelist_stage=s01-parse": 2,
                "read line acquis_type=syslog datasource_type=syslog source=::1:514": 8,
                "read line acquis_type=j datasource_type=http source=192.0.2.1": 1,
            ])
        // It did not arrive: told again.
        #expect(try items(usage.body(.init())) == first)
        usage.arrived()
        #expect(try items(usage.body(.init())).isEmpty)
        metrics.counter(.fileSourceHits, source).add(5)
        #expect(try items(usage.body(.init())) == ["read line \(of) source=/l": 5])
    }

    @Test func tellsWhatIsInstalledAndRead() throws {
        var inventory = AgentUsage.Inventory()
        inventory.dataSources = ["file": 2, "syslog": 1]
        inventory.items = [("parsers", [.init(name: "a/b", version: "0.1", status: "official")]), ("contexts", [])]
        var usage = AgentUsage(Metrics())
        let body = usage.body(inventory, system: SystemRelease(Array("ID=debian\nVERSION_ID=\"12\"\n".utf8)))
        let processor = try #require(try JSON.parse(body)["log_processors"]?.array?.first)
        #expect(processor["datasources"]?["file"]?.int == 2 && processor["datasources"]?["syslog"]?.int == 1)
        #expect(processor["hub_items"]?["parsers"]?.array?.first?["name"]?.string == "a/b")
        #expect(processor["hub_items"]?["contexts"] == .array([]))
        #expect(processor["os"] == .object([.init("name", .string("debian")), .init("version", .string("12"))]))
        #expect(processor["feature_flags"] == .array([]))
        #expect(processor["version"]?.string == SuiteVersion.current)
    }
}

@Suite("An agent and its Local API") struct ContactTests {
    private let folder: TemporaryDirectory
    private static let token = String(repeating: "t", count: 32)
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws { folder = try TemporaryDirectory() }

    /// A Local API that knows one machine by its password.
    private final class FakeAPI: Sendable {
        let known: Mutex<(login: String, password: String)?>
        let reports = Mutex<[JSON]>([])

        init(_ login: String, _ password: String) { known = Mutex((login, password)) }

        func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Response {
            let json = (try? JSON.parse(request.body)) ?? .null
            let (login, password) = (json["machine_id"]?.string ?? "", json["password"]?.string ?? "")
            switch request.path {
            case "/v1/watchers/login":
                guard known.withLock({ $0.map { $0 == (login, password) } ?? false }) else {
                    return .init(401, #"{"code":401,"message":"incorrect Username or Password"}"#)
                }
                return .init(200, #"{"code":200,"expire":"2099-01-01T00:00:00Z","token":"x"}"#)
            case "/v1/watchers":
                guard json["registration_token"]?.string == ContactTests.token else {
                    return .init(401, #"{"message":"invalid token for auto registration"}"#)
                }
                known.withLock { $0 = (login, password) }
                return .init(202)
            case "/v1/usage-metrics":
                reports.withLock { $0.append(json) }
                return .init(201)
            default: return .init(200)
            }
        }
    }

    private func write(_ server: ScriptedServer, _ login: String, _ password: String) throws -> LAPICredentials {
        let path = try folder.write(
            "credentials.yaml", "url: \(server.url)\nlogin: \(login)\npassword: \(password)\n")
        return try LAPICredentials.load(path: path)
    }

    private func contact(_ credentials: LAPICredentials, token: String? = nil) -> LocalAPIContact {
        let client = MachineClient(.init(credentials, userAgent: "crowdsec/v1"))
        return LocalAPIContact(
            client, credentialsPath: folder.path + "/credentials.yaml", .init(), metrics: Metrics(), token: token,
            log: log)
    }

    /// Runs until the usage metrics are there.
    private func run(_ contact: LocalAPIContact, _ api: FakeAPI) async -> Bool {
        let task = Task { await contact.run() }
        defer { task.cancel() }
        for _ in 0..<1_000 where api.reports.withLock({ $0.isEmpty }) { try? await Task.sleep(for: .milliseconds(10)) }
        return !api.reports.withLock { $0.isEmpty }
    }

    @Test func logsInAndTellsUsageAtOnce() async throws {
        let api = FakeAPI("m", "p")
        let server = try ScriptedServer { api.answer($0) }
        #expect(await run(contact(try write(server, "m", "p")), api))
        #expect(server.requests.map(\.path) == ["/v1/watchers/login", "/v1/usage-metrics"])
    }

    @Test func takesTheCredentialsThatAreInTheFileNow() async throws {
        let api = FakeAPI("m", "new")
        let server = try ScriptedServer { api.answer($0) }
        let old = try write(server, "m", "old")
        _ = try write(server, "m", "new")
        #expect(await run(contact(old), api))
    }

    @Test func registersAnewWhereATokenAllowsIt() async throws {
        let api = FakeAPI("other", "p")
        let server = try ScriptedServer { api.answer($0) }
        #expect(await run(contact(try write(server, "m", "p"), token: Self.token), api))
        #expect(api.known.withLock { $0?.login } == "m")
    }

    @Test func withoutATokenItIsNotTried() async throws {
        let api = FakeAPI("other", "p")
        let server = try ScriptedServer { api.answer($0) }
        let task = Task { [contact = contact(try write(server, "m", "p"))] in await contact.run() }
        for _ in 0..<300 where server.requests.count < 2 { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        #expect(!server.requests.contains { $0.path == "/v1/watchers" })
        #expect(api.reports.withLock { $0.isEmpty })
    }
}
