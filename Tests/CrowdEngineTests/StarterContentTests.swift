import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdEngine

/// The content that is shipped, on a real server's log.
@Suite("Starter content") struct StarterContentTests {
    private final class Collector: WorkerObserver {
        var counts: [String: Int] = [:]
        var sources: [String: Set<String>] = [:]
        func raised(_ alerts: [RaisedAlert]) {
            for alert in alerts.map(\.header) {
                counts[alert.scenario, default: 0] += 1
                sources[alert.scenario, default: []].insert(alert.source.value)
            }
        }
        func ignored(_ alert: Alert, reason: String) {}
        func failed(scenario: String, _ reason: String) { Issue.record("\(scenario): \(reason)") }
    }

    private func load() -> Content {
        let root = SharedMaterial.packageRoot + "/deploy"
        var loader = ContentLoader(
            patternDirectory: root + "/etc/crowdsec/patterns", dataDirectory: root + "/var/lib/crowdsec/data")
        return loader.load(ContentFiles.installed(in: root + "/etc/crowdsec"))
    }

    @Test func loadsWithoutComplaint() {
        let content = load()
        #expect(content.refused == [])
        #expect(content.warnings == [])
        #expect(content.scenarios.count >= 9)
    }

    /// 28 brute forces and 4 user enumerations: what the reference raises on this log.
    @Test func findsWhatTheReferenceFinds() throws {
        guard let path = SharedMaterial.path("logs/openssh_2k.log"), let log = SharedMaterial.read(path) else { return }
        let collector = Collector()
        let worker = Worker(load(), observer: collector)
        let origin = LineOrigin(source: path, module: "file", labels: [("type", "syslog")], isReplay: true)
        log.withUnsafeBufferPointer { bytes in
            for line in bytes.split(separator: 10) {
                let text = line.last == 13 ? line.dropLast() : line
                worker.process(ByteSlice(UnsafeBufferPointer(rebasing: text)), from: origin, at: .now())
            }
        }
        #expect(collector.counts["crowd/ssh-bf"] == 28)
        #expect(collector.counts["crowd/ssh-bf_user-enum"] == 4)
        #expect(collector.sources["crowd/ssh-bf"]?.contains("183.62.140.253") == true)
    }
}
