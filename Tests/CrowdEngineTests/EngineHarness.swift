import CrowdCore
import CrowdEngine
import CrowdTestSupport

/// Loads items given as text and runs lines through them: what the agent does, without the agent.
final class EngineHarness: WorkerObserver {
    let folder: TemporaryDirectory
    private(set) var alerts: [Alert] = []
    private(set) var ignored: [String] = []
    private(set) var failures: [String] = []
    let content: Content
    private(set) var worker: Worker?
    private let origin: LineOrigin
    private let identity = EngineIdentity()

    /// A parser that takes `user=… ip=… at=…` lines, for tests that are not about parsing.
    static let plainParser = """
        name: test/plain
        filter: "true"
        grok:
          pattern: '^(?:user=%{WORD:user} )?ip=%{NOTSPACE:ip} at=%{NOTSPACE:at}(?: n=%{INT:n})?$'
          apply_on: Line.Raw
        statics:
          - {meta: source_ip, expression: evt.Parsed.ip}
          - {meta: user, expression: evt.Parsed.user}
          - {meta: log_type, value: test}
          - {target: evt.StrTime, expression: evt.Parsed.at}
          - {method: ParseDate, expression: evt.StrTime}
          - {target: MarshaledTime, expression: evt.Enriched.MarshaledTime}
        """

    init(
        parsers: [(stage: String, text: String)] = [("s01-parse", plainParser)], scenarios: [String] = [],
        postoverflows: [String] = [], contexts: [String] = [], isReplay: Bool = true, bucketCeiling: Int = 1_000,
        module: String = "file", lettingOverflowsWait: Bool = false, configure: (inout ContentLoader) -> Void = { _ in }
    ) throws {
        folder = try TemporaryDirectory()
        var items = ContentFiles.Installed()
        for (number, parser) in parsers.enumerated() {
            let path = try folder.write("parsers/\(parser.stage)/\(number).yaml", parser.text)
            items.parsers.append(ItemFile(path: path, stage: parser.stage))
        }
        for (number, text) in scenarios.enumerated() {
            items.scenarios.append(ItemFile(path: try folder.write("scenarios/\(number).yaml", text)))
        }
        for (number, text) in postoverflows.enumerated() {
            let path = try folder.write("postoverflows/s00-enrich/\(number).yaml", text)
            items.postoverflows.append(ItemFile(path: path, stage: "s00-enrich"))
        }
        for (number, text) in contexts.enumerated() {
            items.contexts.append(ItemFile(path: try folder.write("contexts/\(number).yaml", text)))
        }
        var loader = ContentLoader(
            patternDirectory: SharedMaterial.packageRoot + "/deploy/etc/crowdsec/patterns", dataDirectory: folder.path)
        configure(&loader)
        content = loader.load(items)
        origin = LineOrigin(source: "test.log", module: module, labels: [("type", "syslog")], isReplay: isReplay)
        let worker = Worker(content, observer: self, identity: identity, bucketCeiling: bucketCeiling)
        self.worker = lettingOverflowsWait ? worker.lettingOverflowsWait() : worker
    }

    /// Another agent's engine, which goes on with what this one's buckets hold.
    func goOn(_ content: Content? = nil) throws -> BucketRestoration {
        var writer = ByteWriter()
        worker?.writeSnapshot(to: &writer)
        let next = Worker(content ?? self.content, observer: self, identity: identity)
        defer { worker = next }
        return try writer.bytes.withUnsafeBufferPointer { buffer throws(DamagedBytes) in
            var reader = ByteReader(buffer)
            return try next.restoreSnapshot(&reader)
        }
    }

    func run(_ lines: [String]) {
        for var line in lines {
            line.withUTF8 { worker?.process(ByteSlice($0), from: origin, at: .now()) }
        }
    }

    /// A line of `plainParser`, so many seconds after noon.
    static func line(_ ip: String, _ second: Int, user: String? = nil) -> String {
        let at = Timestamp(seconds: 1_780_315_200 + Int64(second)).rfc3339
        return (user.map { "user=\($0) " } ?? "") + "ip=\(ip) at=\(at)"
    }

    func raised(_ alerts: [RaisedAlert]) { self.alerts += alerts.map(\.alert) }
    func ignored(_ alert: Alert, reason: String) { ignored.append(reason) }
    func failed(scenario: String, _ reason: String) { failures.append("\(scenario): \(reason)") }
}
