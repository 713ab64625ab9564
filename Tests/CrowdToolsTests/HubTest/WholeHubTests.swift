import CrowdCore
import CrowdEngine
import CrowdTestSupport
import Testing

@testable import CrowdTools

/// The whole hub loaded at once, over the lines of all its tests: whatever is done to be fast changes no alert.
@Suite("The whole hub at once") struct WholeHubTests {
    @Test func shortcutsChangeNothing() async throws {
        guard let root = SharedMaterial.path("hub"), let mirror = SharedMaterial.path("hub-data") else { return }
        let hub = try WholeHub(root, mirror: mirror)
        #expect(hub.logs.count > 250)
        let plain = await hub.run(.everyNodeAndScenario)
        #expect(plain.alerts.count > 200 && plain.counts.parsed > 2_000)
        for way in [WholeHub.Way.indexed, .parsedAhead, .onlyRE2] {
            let outcome = await hub.run(way)
            #expect(outcome.counts.parsed == plain.counts.parsed && outcome.counts.read == plain.counts.read)
            for (mine, expected) in zip(outcome.alerts, plain.alerts) where mine != expected {
                Issue.record("\(way): \(mine)\ninstead of \(expected)")
                break
            }
            #expect(outcome.alerts.count == plain.alerts.count, "\(way)")
        }
    }
}

/// All items of a checkout, and the logs of its tests.
private final class WholeHub: Sendable {
    enum Way {
        case everyNodeAndScenario
        case indexed
        case parsedAhead
        case onlyRE2
    }

    struct Log: Sendable {
        let origin: LineOrigin
        let bytes: [UInt8]
        let lines: [Range<Int>]
    }

    let logs: [Log]
    private let items: ContentFiles.Installed
    private let mirror: String
    private let identity = EngineIdentity()

    init(_ root: String, mirror: String) throws {
        self.mirror = mirror
        let hub = try HubCheckout(root)
        logs = hub.testNames.compactMap { try? WholeHub.log(of: $0, hub) }
        items = WholeHub.items(root)
    }

    private static func log(of name: String, _ hub: HubCheckout) throws -> Log? {
        let directory = hub.testsDirectory + "/" + name
        guard
            let node = try YAML.document(
                FileContents.read(directory + "/config.yaml"), file: directory + "/config.yaml")
        else { return nil }
        let config = try HubTestConfig(from: node)
        var bytes = try FileContents.read(directory + "/" + config.logFile)
        var lines: [Range<Int>] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == 10 {
            // Enough of each.
            if index > start, index - start < 32 * 1024, lines.count < 25 { lines.append(start..<index) }
            start = index + 1
        }
        // What somebody might have made of them.
        for (number, line) in lines.enumerated() {
            let hostile = WholeHub.mangled(Array(bytes[line]), seed: number)
            lines.append(bytes.count..<(bytes.count + hostile.count))
            bytes += hostile
        }
        let origin = LineOrigin(
            source: name, module: "file", labels: config.labels + [("type", config.logType)], isReplay: true)
        return Log(origin: origin, bytes: bytes, lines: lines)
    }

    /// The line with some of its parts doubled, cut, made long or not of any character set.
    private static func mangled(_ line: [UInt8], seed: Int) -> [UInt8] {
        let at = line.count * (seed * 37 % 101) / 101
        let (head, tail) = (line[..<at], line[at...])
        switch seed % 7 {
        case 0: return head + [0xff, 0xc3] + tail
        case 1: return Array(head + tail.dropFirst())
        case 2: return Array(head + tail + tail)
        case 3: return head + Array(repeating: tail.first ?? 32, count: 3_000) + tail
        case 4: return Array(head)
        case 5: return head + Array(" 192.0.2.1 \"%{IP}\" \u{2028}é\t".utf8) + tail
        default: return line.map { $0 == 32 ? 9 : $0 }
        }
    }

    private static func items(_ root: String) -> ContentFiles.Installed {
        func files(_ folder: String) -> [String] {
            ContentFiles.entries(root + "/" + folder).sorted().flatMap { entry -> [String] in
                let path = folder + "/" + entry
                if entry.hasSuffix(".yaml") || entry.hasSuffix(".yml") { return [path] }
                return entry.contains(".") ? [] : files(path)
            }
        }
        func staged(_ folder: String) -> [ItemFile] {
            files(folder).map { path in
                ItemFile(path: root + "/" + path, stage: String(path.split(separator: "/")[1]))
            }
            .filter { item in
                // Order binds the first; the second would leave little to compare.
                let text = Command.text(item.path)
                return !text.contains("\nstash:") && !text.contains("\nwhitelist:")
            }
            .sorted { ($0.stage, $0.path) < ($1.stage, $1.path) }
        }
        var items = ContentFiles.Installed()
        items.parsers = staged("parsers")
        items.postoverflows = staged("postoverflows")
        items.scenarios = files("scenarios").map { ItemFile(path: root + "/" + $0) }
        return items
    }

    final class Outcome: WorkerObserver {
        var alerts: [String] = []
        var counts = LineCounts()

        func raised(_ alerts: [RaisedAlert]) {
            for alert in alerts {
                var writer = JSONWriter(capacity: 4_096)
                alert.write(to: &writer)
                self.alerts.append(String(decoding: writer.bytes, as: UTF8.self))
            }
        }
        func ignored(_ alert: Alert, reason: String) { alerts.append("ignored: \(alert.message) \(reason)") }
        func failed(scenario: String, _ reason: String) { alerts.append("failed: \(scenario) \(reason)") }
    }

    /// On a thread of its own: it must not hold up the tests that wait for answers.
    func run(_ way: Way) async -> (alerts: [String], counts: LineCounts) {
        await withCheckedContinuation { done in
            PlainThread.start("whole hub", stackBytes: 8 << 20) { done.resume(returning: self.outcome(way)) }
        }
    }

    private func outcome(_ way: Way) -> (alerts: [String], counts: LineCounts) {
        var loader = ContentLoader(
            patternDirectory: SharedMaterial.packageRoot + "/deploy/etc/crowdsec/patterns", dataDirectory: "/nowhere")
        loader.usesIndex = way != .everyNodeAndScenario
        loader.acceleratesRegex = way != .onlyRE2
        let mirror = mirror
        loader.resolveData = { url, name in HubTest.dataPath(url, name, mirror: mirror, test: "/nowhere") }
        let content = loader.load(items)
        let outcome = Outcome()
        let worker = Worker(content, observer: outcome, identity: identity)
        let parser = LineParser(content)
        for (number, log) in logs.enumerated() {
            // So that a log's buckets do not meet those of the next.
            let time = Timestamp(seconds: 1_780_000_000 + Int64(number) * 100_000)
            log.bytes.withUnsafeBufferPointer { bytes in
                let lines = log.lines.map { ByteSlice(UnsafeBufferPointer(rebasing: bytes[$0])) }
                if way == .parsedAhead {
                    let parsed = ParsedLines(for: content)
                    for line in lines { parser.parse(line, from: log.origin, at: time, into: parsed) }
                    parser.finish(parsed)
                    worker.process(parsed, from: log.origin, at: time)
                } else {
                    for line in lines { worker.process(line, from: log.origin, at: time) }
                }
            }
        }
        outcome.counts = worker.counts
        return (outcome.alerts, outcome.counts)
    }
}
