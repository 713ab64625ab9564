import CrowdCore
import CrowdTestSupport
import Glibc
import Logging
import Testing

@testable import CrowdLAPI

/// Against a Local API that somebody started (CrowdSec's own, any version, or ours): set `CROWD_TEST_CREDENTIALS` to a
/// credentials file of a machine that it knows.
@Suite("A real Local API", .enabled(if: credentialsPath != nil, "CROWD_TEST_CREDENTIALS is not set"))
struct RealLAPITests {
    private static func alert(_ number: Int, valid: Bool = true, padding: Int = 0) -> EncodedAlert {
        let ip = "198.51.100.\(number)"
        let uuid = "00000000-0000-4000-8000-0000000000\(10 + number)"
        let capacity = valid ? "\"capacity\":5," : ""
        let json = """
            {\(capacity)"decisions":null,"events":[],"events_count":6,"labels":null,"leakspeed":"10s","uuid":"\(uuid)",\
            "message":"test \(String(repeating: "m", count: padding))","remediation":true,"scenario":"test/spool",\
            "scenario_hash":"","scenario_version":"0.1","simulated":false,\
            "source":{"ip":"\(ip)","scope":"Ip","value":"\(ip)"},\
            "start_at":"2026-11-21T08:17:29.734864822Z","stop_at":"\(Timestamp.now().rfc3339)"}
            """
        return EncodedAlert(uuid: uuid, json: Array(json.utf8))
    }

    @Test func takesAlertsFromTheSpoolAndRefusesBadOnesAlone() async throws {
        let directory = try TemporaryDirectory()
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let metrics = Metrics()
        let spool = try AlertSpool(.init(directory: directory.path), metrics: metrics, log: log)
        let credentials = try LAPICredentials.load(path: try #require(credentialsPath))
        let client = MachineClient(
            .init(credentials, userAgent: SuiteVersion.userAgent("crowdsec"), scenarios: ["test/spool"]))
        try await client.authenticate()
        try await client.heartbeat()
        spool.append((1...20).map { Self.alert($0, valid: $0 != 7, padding: 1000) })
        let task = Task { await AlertSender(spool, to: client, log: log).run() }
        #expect(await spool.waitUntilEmpty(within: .seconds(20)))
        task.cancel()
        #expect(metrics.samples(.spoolSent).first?.value == 19)
        #expect(metrics.samples(.spoolRefused).first?.value == 1)
        #expect(Command.text(directory.path + "/refused-alerts.jsonl").contains("capacity in body is required"))
    }
}

private let credentialsPath = getenv("CROWD_TEST_CREDENTIALS").map { String(cString: $0) }
