import CrowdCore
import CrowdHTTP
import CrowdLAPI

/// `cscli decisions import`: many decisions from a file, one alert for each batch (surface facts A.4).
struct DecisionImport {
    static let flags: [Flag] = [
        Flag.text("input", "i", "Input file").required,
        .text("duration", "d", "Decision duration: 1h,4h,30m", default: "4h"),
        .text("scope", nil, "Decision scope: ip,range,username", default: "Ip"),
        .text("reason", "R", "Decision reason: <scenario-name>", default: "manual"),
        .text("type", "t", "Decision type: ban,captcha,throttle", default: "ban"),
        .int("batch", nil, "Split import in batches of N decisions", default: 0),
        .text("format", nil, "Input format: 'json', 'csv' or 'values' (each line is a value, no headers)"),
    ]

    enum Format: String { case json, csv, values }

    private let call: Invocation
    private let client: MachineClient
    private let input: String

    static func run(_ call: Invocation) async throws {
        for name in ["duration", "scope", "reason", "type"] where call.flags.text(name).isEmpty {
            throw CommandError("default \(name) cannot be empty")
        }
        try await DecisionImport(call).run()
    }

    private init(_ call: Invocation) throws {
        self.call = call
        client = try call.client(timeout: .seconds(300))
        input = call.flags.text("input")
    }

    private func run() async throws {
        let format = try format()
        call.print("Parsing \(format.rawValue)")
        let decisions = try DecisionFile(defaults: call.flags).read(try InputFile.read(input), as: format)
        guard !decisions.isEmpty else { throw CommandError("no decisions found") }
        let batch = call.flags.int("batch")
        if batch > 0 { call.print("batch size: \(batch)") }
        if decisions.count > 1000 {
            call.info("You are about to add \(decisions.count) decisions, this may take a while")
        }
        var imported = 0
        let step = batch > 0 ? batch : decisions.count
        let meter = ProgressMeter()
        defer { meter.clear() }
        for start in stride(from: 0, to: decisions.count, by: step) {
            let chunk = Array(decisions[start..<min(start + step, decisions.count)])
            call.debug("Processing chunk of \(chunk.count) decisions")
            imported += try await post(try await withoutAllowlisted(chunk))
            meter.show(start + chunk.count, of: decisions.count)
        }
        meter.clear()
        call.print("Imported \(imported) decisions")
    }

    private func format() throws(CommandError) -> Format {
        if let name = call.flags.nonEmpty("format") {
            guard let format = Format(rawValue: name) else {
                throw CommandError("invalid format '\(name)', expected one of 'json', 'csv', 'values'")
            }
            return format
        }
        if input.hasSuffix(".json") { return .json }
        if input.hasSuffix(".csv") { return .csv }
        throw CommandError(
            "unable to guess format from file extension, please provide a format with --format flag")
    }

    /// What no allowlist forgives. An older Local API has no allowlists and answers 404.
    private func withoutAllowlisted(_ decisions: [Decision]) async throws -> [Decision] {
        let targets = decisions.filter { $0.scope == "Ip" || $0.scope == "Range" }.map(\.value)
        guard !targets.isEmpty else { return decisions }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("targets", targets)
        writer.endObject()
        let answer: HTTPResponse
        do {
            answer = try await client.send(.post, "v1/allowlists/check", json: writer.bytes)
        } catch let error {
            if case .refused(let status, _) = error, status == 404 { return decisions }
            throw error
        }
        var refused: Set<String> = []
        for result in try JSON.parse(answer.body)["results"]?.array ?? [] {
            guard let target = result["target"]?.string, refused.insert(target).inserted else { continue }
            let reasons = result["allowlists"]?.array?.compactMap(\.string) ?? []
            call.print("Value \(target) is allowlisted by [\(reasons.joined(separator: " "))]")
        }
        guard !refused.isEmpty else { return decisions }
        return decisions.filter { !refused.contains($0.value) || ($0.scope != "Ip" && $0.scope != "Range") }
    }

    private func post(_ decisions: [Decision]) async throws -> Int {
        guard !decisions.isEmpty else { return 0 }
        let now = Timestamp.now().rfc3339
        var alert = Alert()
        (alert.createdAt, alert.startAt, alert.stopAt) = (now, now, now)
        alert.scenario = "import \(input): \(decisions.count) IPs"
        (alert.eventsCount, alert.remediation, alert.kind) = (1, true, "cscli")
        alert.decisions = decisions
        var writer = JSONWriter(capacity: decisions.count * 128)
        writer.beginArray()
        alert.write(to: &writer)
        writer.endArray()
        _ = try await client.postAlerts(writer.bytes)
        return decisions.count
    }
}
