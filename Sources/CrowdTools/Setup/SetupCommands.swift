import CrowdCore
import CrowdHub
import Glibc

extension Command {
    /// `cscli setup` (surface facts A.14, G.4).
    static let setup = Command(
        name: "setup", summary: "Tools to configure crowdsec", flags: [],
        subcommands: [
            Command(
                name: "detect", summary: "Detect installed services and generate a setup file",
                flags: SetupCommands.detectFlags + [
                    .toggle("yaml", nil, "output yaml, not json"),
                    .toggle(
                        "list-supported-services", nil,
                        "do not detect; only print supported services"),
                ]
            ) { try SetupCommands.detect($0) },
            Command(
                name: "install-hub", summary: "Install recommended hub items", argumentsUsage: "[setup_file]",
                arguments: .exactly(1),
                flags: [
                    .toggle("interactive", "i", "Ask for confirmation before proceeding"),
                    .toggle("dry-run", nil, "don't install anything; print out what would have been"),
                ]
            ) { try await SetupCommands.installHub($0) },
            Command(
                name: "install-acquisition", summary: "Generate acquisition configuration from a setup file",
                argumentsUsage: "[setup_file]", arguments: .exactly(1), flags: SetupCommands.writeFlags
            ) { try SetupCommands.installAcquisition($0) },
            Command(
                name: "validate", summary: "Validate a setup file", argumentsUsage: "[setup_file]",
                arguments: .exactly(1)
            ) { try SetupCommands.validate($0) },
            Command(
                name: "interactive", summary: "Interactive setup",
                flags: SetupCommands.detectFlags + SetupCommands.writeFlags
            ) { try await SetupCommands.interactive($0) },
            Command(
                name: "unattended", summary: "Unattended setup",
                flags: SetupCommands.detectFlags + SetupCommands.writeFlags
            ) { try await SetupCommands.unattended($0) },
        ]
    ) { try await SetupCommands.interactive($0) }
}

enum SetupCommands {
    static let detectFlags: [Flag] = [
        .text(
            "detect-config", nil, "path to service detection configuration, default to $CROWDSEC_SETUP_DETECT_CONFIG"),
        .list("ignore", nil, "ignore a detected service (can be repeated)"),
        .list("force", nil, "force the detection of a service (can be repeated)"),
        .toggle("skip-systemd", nil, "don't use systemd, even if available"),
    ]

    static let writeFlags: [Flag] = [
        .text("acquis-dir", nil, "Directory for the acquisition configuration"),
        .toggle("dry-run", nil, "simulate the installation without making any changes"),
    ]

    // MARK: detecting

    static func detect(_ call: Invocation) throws {
        if call.flags.isOn("list-supported-services") {
            return call.print(try rules(call).services.map(\.name).joined(separator: "\n"))
        }
        let document = try detected(call)
        if call.flags.isOn("yaml") {
            call.terminal.print(document.json.yamlNode.yamlText, terminator: "")
        } else {
            call.print(document.json.pretty)
        }
    }

    private static func rules(_ call: Invocation) throws -> DetectRules {
        let fromEnvironment = getenv("CROWDSEC_SETUP_DETECT_CONFIG").map { String(cString: $0) }
        let path =
            try call.flags.nonEmpty("detect-config") ?? fromEnvironment
            ?? call.config().paths.dataDirectory + "/detect.yaml"
        return try DetectRules(path)
    }

    private static func detected(_ call: Invocation) throws -> SetupDocument {
        try rules(call).detect(
            HostFacts(asksSystemd: !call.flags.isOn("skip-systemd")), forced: Set(call.flags.list("force")),
            ignored: Set(call.flags.list("ignore")))
    }

    // MARK: documents

    private static func read(_ call: Invocation) throws -> SetupDocument {
        let bytes = try InputFile.read(call.words[0])
        do { return try SetupDocument(bytes, file: call.words[0]) } catch let error as ConfigError {
            throw CommandError("invalid setup file: \(SetupComplaint.text(error, in: bytes))")
        }
    }

    static func validate(_ call: Invocation) throws {
        let bytes = try InputFile.read(call.words[0])
        do {
            _ = try SetupDocument(bytes, file: call.words[0])
        } catch {
            let complaint = (error as? ConfigError).map { SetupComplaint.text($0, in: bytes) } ?? "\(error)\n"
            call.terminal.print(complaint, terminator: "")
            throw CommandError("invalid setup file")
        }
    }

    // MARK: installing

    private static func requireAgent(_ call: Invocation) throws {
        guard try call.config().runsAgent else {
            throw CommandError("log processor is disabled -- this command cannot run on a LAPI-only instance")
        }
    }

    static func installHub(_ call: Invocation) async throws {
        try PlanSession.checkFlags(call)
        try await installHub(try read(call), call)
    }

    private static func installHub(_ document: SetupDocument, _ call: Invocation) async throws {
        let hub = try call.hub()
        var plan = ActionPlan(hub, force: false)
        for id in document.hubItems { plan.install(try ItemCommands.item(id.name, id.type, in: hub)) }
        try await PlanSession(call: call).run(plan)
    }

    static func installAcquisition(_ call: Invocation) throws {
        try requireAgent(call)
        try writeAcquisition(try read(call), call, asks: false)
    }

    private static func writeAcquisition(_ document: SetupDocument, _ call: Invocation, asks: Bool) throws {
        guard let directory = try call.flags.nonEmpty("acquis-dir") ?? call.config().agent?.acquisitionDirectory else {
            throw CommandError("no acquisition_dir in the configuration: please specify --acquis-dir")
        }
        for item in document.items {
            guard let name = item.fileName, let source = item.dataSource else { continue }
            let file = AcquisitionFile(item, fileName: name, source: source, directory: directory)
            if call.flags.isOn("dry-run") {
                call.print("(dry run) \(file.path)\n\(file.text)")
            } else if try mayReplace(file, call, asks: asks) {
                call.print("creating \(file.path)")
                try FileContents.makeDirectory(directory)
                try FileContents.replace(file.path, with: Array(file.text.utf8))
            } else {
                call.print("skipped \(file.path)")
            }
        }
    }

    /// What somebody changed is shown and asked about, if there is somebody.
    private static func mayReplace(_ file: AcquisitionFile, _ call: Invocation, asks: Bool) throws -> Bool {
        guard asks, let present = file.present, !AcquisitionFile.isGenuine(present), present != file.text else {
            return true
        }
        call.terminal.print(UnifiedDiff.text(file.path, present, "new", file.text), terminator: "")
        return Confirmation.ask("\(file.path) was changed. Replace it?", on: call.terminal)
    }

    // MARK: all at once

    static func unattended(_ call: Invocation) async throws {
        try requireAgent(call)
        let switchedOff = getenv("CROWDSEC_SETUP_UNATTENDED_DISABLE").map { String(cString: $0) } ?? ""
        guard switchedOff.isEmpty else {
            return call.info("unattended setup is disabled by CROWDSEC_SETUP_UNATTENDED_DISABLE")
        }
        let document = try detected(call)
        report(document, call)
        try await installHub(document, call)
        try writeAcquisition(document, call, asks: false)
    }

    static func interactive(_ call: Invocation) async throws {
        try requireAgent(call)
        guard isatty(0) == 1 else {
            throw CommandError("interactive setup needs a terminal; without one, use 'cscli setup unattended'")
        }
        var document = try detected(call)
        report(document, call)
        document.items = document.items.filter { item in
            Confirmation.ask("Set up \(item.service)?", on: call.terminal)
        }
        try await installHub(document, call)
        try writeAcquisition(document, call, asks: true)
    }

    private static func report(_ document: SetupDocument, _ call: Invocation) {
        let names = document.items.map(\.service)
        call.print(names.isEmpty ? "No services detected." : "Detected services: \(names.joined(separator: ", "))")
    }
}
