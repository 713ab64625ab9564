import CrowdCore
import CrowdStore
import CrowdTestSupport

/// A store over a database of its own.
final class TemporaryStore: Sendable {
    private let directory: TemporaryDirectory
    let config: DatabaseConfig
    let store: any Store

    init(_ database: TestDatabase = .sqlite) throws {
        directory = try TemporaryDirectory()
        config = try database.config(in: directory)
        store = try Database.store(config)
    }

    var path: String { directory.path + "/crowdsec.db" }

    /// Another program's connection, as `cscli` opens it.
    func connection() throws -> any SQLConnection { try Database.connection(config, applicationName: "test") }

    static func alert(
        uuid: String = SecureRandom.uuid(), decisions: Int = 1, events: Int = 1, machineRow: Int64? = nil,
        value: String = "192.0.2.7"
    ) -> NewAlert {
        var alert = Alert()
        alert.uuid = uuid
        alert.scenario = "crowdsecurity/ssh-bf"
        alert.source = AlertSource(scope: "Ip", value: value, ip: value)
        alert.events = (0..<events).map { index in
            AlertEvent(timestamp: "2026-11-21T08:17:29Z", meta: [MetaItem(key: "n", value: "\(index)")])
        }
        let now = Timestamp.now()
        let decision = Decision(
            origin: "crowdsec", type: "ban", scope: "Ip", value: value, scenario: alert.scenario, duration: "4h")
        let new = NewDecision(decision, until: now + .seconds(4 * 3600), range: IPRange(value))
        return NewAlert(
            alert, machineRow: machineRow, startedAt: now, stoppedAt: now,
            decisions: Array(repeating: new, count: decisions))
    }
}
