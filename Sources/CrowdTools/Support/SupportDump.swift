import CrowdCore
import CrowdHTTP
import Glibc

extension Command {
    /// `cscli support` (surface facts A.13).
    static let support = Command(
        name: "support", summary: "Provide commands to help during support",
        subcommands: [
            Command(
                name: "dump", summary: "Dump all your configuration to a zip file for easier support",
                flags: [
                    .text("file", "f", "File to dump the information to, - for standard output"),
                    .toggle("fast", nil, "Skip log files"),
                ]
            ) { try await SupportDump.run($0) }
        ])
}

/// Gathers what helps to help: each part for itself, so that a broken installation still gives the rest.
struct SupportDump {
    /// The end of a log is what counts.
    private static let logLimit = 8 << 20

    private let call: Invocation
    private var archive: ZipArchive
    private var notes = ""

    static func run(_ call: Invocation) async throws {
        guard call.output == .human else {
            throw CommandError("output format '\(call.output.rawValue)' not supported for this command")
        }
        var dump = SupportDump(call: call, archive: ZipArchive(at: Timestamp.now()))
        await dump.collect()
        dump.archive.add("dump.log", Array(dump.notes.utf8))
        let bytes = dump.archive.finished()
        let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = call.flags.nonEmpty("file") ?? "\(temporary)/crowdsec-support.zip"
        guard path != "-" else { return try FileContents.replace("/dev/stdout", with: bytes) }
        try FileContents.replace(path, with: bytes, mode: 0o600)
        call.info("Written zip file to \(path)")
    }

    private mutating func collect() async {
        await addMetrics()
        await add("version.txt") { try await $0.perform(.version) }
        await add("features.txt") { try FeatureFlags.show($0) }
        await add("system.yaml") { call in
            let facts = HostFacts(asksSystemd: false).host.sorted { $0.key < $1.key }
            for (key, value) in facts { call.print("\(key): \(JSON.string(value).compact)") }
        }
        await add("hub.txt") { try HubCommands.list($0) }
        await add("lapi/bouncers.txt") { try BouncerReports.list($0) }
        await add("lapi/agents.txt") { try MachineReports.list($0) }
        await add("lapi_status.txt") { try await LAPICommands.status($0) }
        addConfiguration()
        if !call.flags.isOn("fast") { addLogs() }
    }

    /// What a command prints, or why it did not.
    private mutating func add(_ name: String, _ body: (Invocation) async throws -> Void) async {
        let page = Terminal.Page()
        do { try await body(call.printing(on: page)) } catch { note(name, error) }
        archive.add(name, Array(page.text.utf8))
    }

    private mutating func note(_ name: String, _ error: any Error) {
        notes += "\(name): \(error)\n"
        call.terminal.log(.warning, "\(name): \(error)")
    }

    private mutating func addMetrics() async {
        guard let config = try? call.config(), config.prometheus.enabled else {
            return note("metrics", CommandError("prometheus is not enabled"))
        }
        let text = await MetricsReport.scrapeText(call, config)
        archive.add("metrics/metrics.prometheus", Array(text.utf8))
        await add("metrics/metrics.human") { try await MetricsReport.show($0) }
    }

    private mutating func addConfiguration() {
        guard let config = try? call.config() else { return }
        do {
            let text = Redaction.redacted(try ConfigFile.load(call.configPath)).yamlText
            archive.add("config/crowdsec.yaml", Array(text.utf8))
        } catch {
            note("config/crowdsec.yaml", error)
        }
        if let path = config.server?.profilesPath { addYAML(path, as: "config/profiles.yaml") }
        var files = [config.agent?.acquisitionPath].compactMap { $0 }
        if let folder = config.agent?.acquisitionDirectory {
            files += FileContents.entries(folder).filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
                .map { "\(folder)/\($0)" }
        }
        for path in files { addYAML(path, as: "config/acquis/" + path.replacing("/", with: "___")) }
    }

    private mutating func addYAML(_ path: String, as name: String) {
        do {
            let text = Redaction.yaml(try FileContents.read(path), file: path)
            archive.add(name, Array(text.utf8))
        } catch {
            note(name, error)
        }
    }

    private mutating func addLogs() {
        guard let folder = try? call.config().common.logDirectory else { return }
        for name in FileContents.entries(folder) where name.hasPrefix("crowdsec") && name.hasSuffix(".log") {
            do {
                let bytes = try FileContents.read(FileContents.cleaned("\(folder)/\(name)"), limit: 512 << 20)
                archive.add("log/\(name)", Array(bytes.suffix(Self.logLimit)))
            } catch {
                note("log/\(name)", error)
            }
        }
    }
}
