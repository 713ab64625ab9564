import CrowdCore
import CrowdEngine

/// One hub test, run in process by the very engine that runs live (engine facts G.2).
struct HubTest: Sendable {
    let name: String
    let hub: HubCheckout
    var patternDirectory: String
    /// A local copy of what data URLs serve; see `dataPath`.
    var dataMirror: String?
    var acceleratesRegex = true

    struct Outcome: Sendable {
        var name: String
        var failures: [String] = []
        var warnings: [String] = []
        var error: String?
        var assertions = 0
        var isSuccess: Bool { failures.isEmpty && error == nil }
    }

    /// An author has yet to decide what is right: here is what is.
    private struct NoAssertions: Error, CustomStringConvertible {
        let file: String
        let generated: [String]
        var description: String {
            "\(file) is empty; these assertions hold, put those that should into it:\n\n"
                + generated.joined(separator: "\n") + "\n"
        }
    }

    private var directory: String { hub.testsDirectory + "/" + name }

    func run() -> Outcome {
        var outcome = Outcome(name: name)
        do {
            let config = try config()
            try judge(record(config), config, &outcome)
        } catch {
            outcome.error = "\(error)"
        }
        return outcome
    }

    private func config() throws -> HubTestConfig {
        let path = directory + "/config.yaml"
        guard let node = try YAML.document(FileContents.read(path), file: path) else {
            throw CommandError("config.yaml is empty")
        }
        return try HubTestConfig(from: node)
    }

    /// What happens to the test's lines, without a judgement.
    func record() throws -> Recorder { try record(config()) }

    /// The test's items and lines, to be explained one by one.
    func explainer() throws -> (Explainer, lines: [[UInt8]]) {
        let config = try config()
        let content = try load(config)
        if let error = content.refused.first { throw error }
        return (Explainer(content, origin(config)), try lines(config))
    }

    // MARK: running

    private func record(_ config: HubTestConfig) throws -> Recorder {
        let content = try load(config)
        if let error = content.refused.first { throw error }
        let recorder = Recorder()
        let silence = Silence()
        let worker = Worker(content, observer: silence, recorder: recorder)
        let origin = origin(config)
        let now = Timestamp.now()
        for line in try lines(config) {
            line.withUnsafeBufferPointer { worker.process(ByteSlice($0), from: origin, at: now) }
        }
        return recorder
    }

    private func origin(_ config: HubTestConfig) -> LineOrigin {
        LineOrigin(
            source: directory + "/" + config.logFile, module: "file",
            labels: config.labels + [("type", config.logType)], isReplay: true)
    }

    /// Up to the first that is too long for the reference.
    private func lines(_ config: HubTestConfig) throws -> [[UInt8]] {
        let bytes = try FileContents.read(directory + "/" + config.logFile, limit: 256 * 1024 * 1024)
        return bytes.split(separator: 10).map { $0.last == 13 ? $0.dropLast() : $0 }
            .prefix { $0.count <= 64 * 1024 }.filter { !$0.isEmpty }.map { Array($0) }
    }

    private final class Silence: WorkerObserver {
        func raised(_ alerts: [RaisedAlert]) {}
        func ignored(_ alert: Alert, reason: String) {}
        func failed(scenario: String, _ reason: String) {}
    }

    private func load(_ config: HubTestConfig) throws -> Content {
        var items = ContentFiles.Installed()
        items.parsers = try files(config.parsers, type: "parsers")
        items.scenarios = try files(config.scenarios, type: "scenarios")
        items.postoverflows = try files(config.postoverflows, type: "postoverflows")
        var loader = ContentLoader(patternDirectory: patternDirectory, dataDirectory: directory)
        loader.acceleratesRegex = acceleratesRegex
        // Dumps list the nodes whose filter was false, too.
        loader.usesIndex = false
        let (mirror, test) = (dataMirror, directory)
        loader.resolveData = { url, name in HubTest.dataPath(url, name, mirror: mirror, test: test) }
        if let statics = config.overrideStatics { loader.overrides = HubTest.overrideNode(statics) }
        return loader.load(items)
    }

    /// In the order of installed files: by stage, then by file name.
    private func files(_ names: [String], type: String) throws -> [ItemFile] {
        var files: [ItemFile] = []
        for name in names {
            let file = try hub.file(name, type: type, test: self.name)
            if !files.contains(file) { files.append(file) }
        }
        return files.sorted { ($0.stage, HubTest.fileName($0.path)) < ($1.stage, HubTest.fileName($1.path)) }
    }

    private static func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// `https://hub-data.crowdsec.net/<path>` is `<mirror>/<path>`, any other `https://<host>/<path>` is
    /// `<mirror>/<host>/<path>`; what is not there is looked for in the test's own folder.
    static func dataPath(_ url: String, _ name: String, mirror: String?, test: String) -> String {
        guard let mirror, let scheme = url.utf8.firstIndex(of: UInt8(ascii: ":")) else { return test + "/" + name }
        let rest = url[scheme...].drop { $0 == ":" || $0 == "/" }
        let hub = "hub-data.crowdsec.net/"
        return mirror + "/" + (rest.hasPrefix(hub) ? String(rest.dropFirst(hub.count)) : String(rest))
    }

    /// A node that runs first and sets what the test wants set.
    private static func overrideNode(_ statics: YAMLNode) -> YAMLNode {
        func scalar(_ text: String) -> YAMLNode { YAMLNode(.scalar(text: text, plain: false), at: statics.mark) }
        return YAMLNode(
            .mapping([
                (scalar("name"), scalar("overrides")), (scalar("filter"), scalar("1==1")), (scalar("statics"), statics),
            ]), at: statics.mark)
    }

    // MARK: judging

    private func judge(_ recorder: Recorder, _ config: HubTestConfig, _ outcome: inout Outcome) throws {
        if !config.ignoresParsers {
            try check("parser.assert", ParserResults.value(recorder), ParserResults.type, &outcome, strict: true) {
                GeneratedAssertions.parsers(recorder)
            }
        }
        if !config.scenarios.isEmpty {
            try check(
                "scenario.assert", ScenarioResults.value(recorder), ScenarioResults.type, &outcome, strict: false,
                ties: ScenarioResults.ties(recorder)
            ) { GeneratedAssertions.scenarios(recorder) }
        }
    }

    private func check(
        _ file: String, _ results: Value, _ type: StaticType, _ outcome: inout Outcome, strict: Bool,
        ties: [Range<Int>] = [], generated: () -> [String]
    ) throws {
        let path = directory + "/" + file
        let text = String(decoding: try FileContents.read(path, limit: 256 * 1024 * 1024), as: UTF8.self)
        var assertions = HubAssertions(results, type)
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }.map(String.init)
        guard !lines.isEmpty else { throw NoAssertions(file: file, generated: generated()) }
        assertions.settleTies(lines, ties: ties)
        for line in lines {
            outcome.assertions += 1
            switch try assertions.judge(line, strict: strict) {
            case .holds: break
            case .fails(let found): outcome.failures.append("\(file): \(line)\(found.map { "\n    is \($0)" } ?? "")")
            case .ignored: outcome.warnings.append("\(file): not true, and not counted by the reference: \(line)")
            }
        }
    }
}
