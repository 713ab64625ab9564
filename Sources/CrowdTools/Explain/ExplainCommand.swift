import CrowdCore
import CrowdEngine
import CrowdExpr
import CrowdHTTP
import Glibc

extension Command {
    /// `cscli explain`: which parsers and scenarios take a line, by the very engine that runs (surface facts A.12).
    static let explain = Command(
        name: "explain", summary: "Explain log pipeline",
        flags: [
            .text("file", "f", "Log file to test, - for standard input"), .text("log", "l", "Log line to test"),
            .text("dsn", "d", "DSN to test"), .text("type", "t", "Type of the acquisition to test"),
            .text("labels", nil, "Additional labels to add to the acquisition format (key:value,key2:value2)"),
            .toggle("verbose", "v", "Display individual changes"), .toggle("failures", nil, "Only show failed lines"),
            .toggle("only-successful-parsers", nil, "Only show successful parsers"),
            .text("crowdsec", nil, "ignored: the engine runs in this process"),
            .toggle("no-clean", nil, "ignored: nothing is written"),
        ]
    ) { call in
        let type = call.flags.text("type")
        guard !type.isEmpty else { throw CommandError("required flag(s) \"type\" not set") }
        var labels = [("type", type)]
        for part in call.flags.text("labels").split(separator: ",") {
            let sides = part.split(separator: ":", maxSplits: 1).map(String.init)
            guard sides.count == 2 else { throw CommandError("invalid label '\(part)'") }
            labels.append((sides[0], sides[1]))
        }
        var options = Explanation.Options()
        options.isVerbose = call.flags.isOn("verbose")
        options.onlyFailures = call.flags.isOn("failures")
        options.onlySuccessfulParsers = call.flags.isOn("only-successful-parsers")
        let (lines, source) = try lines(call)
        if lines.count > 100 { call.info("the log file contains \(lines.count) lines: this may take a while") }
        let config = try call.config()
        var loader = ContentLoader(
            patternDirectory: config.paths.patternDirectory, dataDirectory: config.paths.dataDirectory)
        loader.usesIndex = false
        let web = CurlWeb.guarded()
        loader.outside = OutsideWorld(web: web, reputations: Reputations(config.cti, web: web))
        let content = loader.load(ContentFiles.installed(in: config.paths.configDirectory))
        for error in content.refused { call.terminal.log(.error, "Item left out: \(error)") }
        let explainer = Explainer(content, LineOrigin(source: source, module: "file", labels: labels, isReplay: true))
        for line in lines {
            if let text = explainer.explain(line).text(options) { call.print(text) }
        }
    }

    private static func lines(_ call: Invocation) throws -> ([[UInt8]], String) {
        if !call.flags.text("log").isEmpty { return ([Array(call.flags.text("log").utf8)], "log line") }
        var path = call.flags.text("file")
        let dsn = call.flags.text("dsn")
        if path.isEmpty, dsn.hasPrefix("file://") { path = String(dsn.dropFirst("file://".count)) }
        guard !path.isEmpty else {
            throw CommandError(
                dsn.isEmpty ? "please provide --log, --file or --dsn flag" : "only file:// DSNs can be explained",
                showsHelp: dsn.isEmpty)
        }
        let bytes = try FileContents.read(path == "-" ? "/dev/stdin" : path, limit: 256 * 1024 * 1024)
        let lines = bytes.split(separator: 10).map { Array($0.last == 13 ? $0.dropLast() : $0) }.filter { !$0.isEmpty }
        guard !lines.isEmpty else { throw CommandError("the log file is empty: \(path)") }
        return (lines, FileContents.absolute(path))
    }
}

/// Runs lines one by one through a fresh worker each, so that a line's scenarios do not depend on the lines before.
final class Explainer: WorkerObserver {
    private let content: Content
    private let origin: LineOrigin

    init(_ content: Content, _ origin: LineOrigin) {
        self.content = content
        self.origin = origin
    }

    func explain(_ line: [UInt8]) -> Explanation {
        let recorder = Recorder()
        let worker = Worker(content, observer: self, recorder: recorder)
        line.withUnsafeBufferPointer { worker.process(ByteSlice($0), from: origin, at: .now()) }
        let results = recorder.results.filter { !$0.stage.isEmpty }
        return Explanation(
            line: String(decoding: line, as: UTF8.self), results: results, scenarios: worker.pouredScenarios,
            wasParsed: worker.counts.parsed > 0, nearest: worker.counts.parsed > 0 ? nil : worker.nearestNode)
    }

    func raised(_ alerts: [RaisedAlert]) {}
    func ignored(_ alert: Alert, reason: String) {}
    func failed(scenario: String, _ reason: String) {}
}
