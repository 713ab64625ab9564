import CrowdCore
import CrowdHub
import Glibc

extension Command {
    /// `cscli simulation`: edits simulation.yaml (surface facts A.13, B.6).
    static let simulation = Command(
        name: "simulation", summary: "Manage simulation status of scenarios",
        subcommands: [
            Command(
                name: "enable", summary: "Enable the simulation, globally or on specified scenarios",
                argumentsUsage: "[scenario] [-global]", arguments: .any,
                flags: [.toggle("global", "g", "Enable global simulation (reverse mode)")],
                completion: ItemCommands.names(.scenarios) { $0.isInstalled }
            ) { try SimulationCommands.change($0, enables: true) },
            Command(
                name: "disable", summary: "Disable the simulation mode. Disable only specified scenarios",
                argumentsUsage: "[scenario]", arguments: .any,
                flags: [.toggle("global", "g", "Disable global simulation (reverse mode)")],
                completion: ItemCommands.names(.scenarios) { $0.isInstalled }
            ) { try SimulationCommands.change($0, enables: false) },
            Command(name: "status", summary: "Show simulation mode status") { try SimulationCommands.status($0) },
        ])
}

enum SimulationCommands {
    static func change(_ call: Invocation, enables: Bool) throws {
        let path = try call.config().paths.simulationPath
        var simulation = try SimulationConfig.load(path: path)
        if call.words.isEmpty {
            guard call.flags.isOn("global") else {
                throw CommandError("specify at least one scenario or --global", showsHelp: true)
            }
            simulation.simulation = enables
            simulation.exclusions = []
            call.print("global simulation: \(enables ? "enabled" : "disabled")")
        } else {
            let hub = InstalledScenarios(try call.config().paths)
            for name in call.words { change(name, enables: enables, in: &simulation, hub, call) }
        }
        do { try FileContents.replace(path, with: Array(yaml(simulation).utf8), mode: 0o644) } catch {
            throw CommandError("write simulation config in '\(path)' failed: \(error)")
        }
        call.info("Run 'sudo systemctl reload crowdsec' for the new configuration to be effective.")
    }

    private static func change(
        _ name: String, enables: Bool, in simulation: inout SimulationConfig, _ hub: InstalledScenarios,
        _ call: Invocation
    ) {
        switch hub.status(of: name) {
        case .unknown:
            // What is simulated can be taken back also when the scenario is gone.
            if enables || simulation.isSimulated(name) == simulation.simulation {
                return call.terminal.log(.error, "\"\(name)\" does not exist or is not a scenario")
            }
        case .absent: call.terminal.log(.warning, "\"\(name)\" isn't enabled")
        case .installed: break
        }
        guard simulation.isSimulated(name) != enables else {
            return call.terminal.log(
                .warning, "simulation mode for \"\(name)\" is already \(enables ? "enabled" : "disabled")")
        }
        // Exclusions mean the opposite of the global mode.
        if simulation.simulation == enables {
            simulation.exclusions.remove(name)
        } else {
            simulation.exclusions.insert(name)
        }
        call.print("simulation mode for \"\(name)\" \(enables ? "enabled" : "disabled")")
    }

    static func status(_ call: Invocation) throws {
        let simulation = try SimulationConfig.load(path: try call.config().paths.simulationPath)
        call.print("global simulation: \(simulation.simulation ? "enabled" : "disabled")")
        guard !simulation.exclusions.isEmpty else { return }
        call.print(
            simulation.simulation ? "Scenarios not in simulation mode:" : "Scenarios in simulation mode:")
        for name in simulation.exclusions.sorted() { call.print("  - \(name)") }
    }

    private static func yaml(_ simulation: SimulationConfig) -> String {
        let names = simulation.exclusions.sorted().map { "- \($0)\n" }.joined()
        return "simulation: \(simulation.simulation)\nexclusions:\(names.isEmpty ? " []\n" : "\n\(names)")"
    }
}

/// Which scenarios the hub's index knows, and which are installed: by the names in their files.
struct InstalledScenarios {
    enum Status { case unknown, absent, installed }

    private let known: Set<String>
    private let installed: Set<String>

    init(_ paths: PathsConfig) {
        let index = (try? FileContents.read(paths.indexPath, limit: 256 << 20)).flatMap { try? JSON.parse($0) }
        if case .object(let members)? = index?["scenarios"] { known = Set(members.map(\.key)) } else { known = [] }
        installed = Self.names(in: paths.configDirectory + "/scenarios")
    }

    func status(of name: String) -> Status {
        if installed.contains(name) { return .installed }
        return known.contains(name) ? .absent : .unknown
    }

    private static func names(in folder: String) -> Set<String> {
        var names: Set<String> = []
        for file in FileContents.names(in: folder) {
            guard file.hasSuffix(".yaml") || file.hasSuffix(".yml") else { continue }
            for document in (try? ConfigFile.documents(folder + "/" + file)) ?? [] {
                if let name = try? document?.anyMapping()["name"]?.string() { names.insert(name) }
            }
        }
        return names
    }
}
