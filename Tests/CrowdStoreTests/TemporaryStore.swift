import CrowdCore
import CrowdStore
import Glibc

/// A store in a directory of its own that vanishes with it.
final class TemporaryStore: Sendable {
    let directory: String
    let store: SQLiteStore

    init() throws {
        var template = Array("/tmp/crowd-store-XXXXXX".utf8CString)
        _ = mkdtemp(&template)
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        store = try SQLiteStore(settings: SQLiteSettings(path: directory + "/crowdsec.db"))
    }

    var path: String { directory + "/crowdsec.db" }

    deinit {
        for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
        rmdir(directory)
    }

    static func alert(uuid: String = SecureRandom.uuid(), decisions: Int = 1, events: Int = 1) -> NewAlert {
        var alert = Alert()
        alert.uuid = uuid
        alert.scenario = "crowdsecurity/ssh-bf"
        alert.source = AlertSource(scope: "Ip", value: "192.0.2.7", ip: "192.0.2.7")
        alert.events = (0..<events).map { index in
            AlertEvent(timestamp: "2026-11-21T08:17:29Z", meta: [MetaItem(key: "n", value: "\(index)")])
        }
        let now = Timestamp.now()
        let decision = Decision(
            origin: "crowdsec", type: "ban", scope: "Ip", value: "192.0.2.7", scenario: alert.scenario,
            duration: "4h")
        let new = NewDecision(decision, until: now + .seconds(4 * 3600), range: IPRange("192.0.2.7"))
        return NewAlert(
            alert, machineRow: nil, startedAt: now, stoppedAt: now,
            decisions: Array(repeating: new, count: decisions))
    }
}
