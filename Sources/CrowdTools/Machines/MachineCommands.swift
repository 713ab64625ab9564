import CrowdCore
import CrowdStore

extension Command {
    /// `cscli machines`: works on the database (surface facts A.6).
    static let machines = Command(
        name: "machines", aliases: ["machine"], summary: "Manage local API machines [requires local API]",
        subcommands: [
            Command(
                name: "add", summary: "add a single machine to the database", argumentsUsage: "[NAME]",
                arguments: .atMost(1),
                flags: [
                    .text("password", "p", "machine password to login to the API"),
                    .text("file", "f", "output file destination (defaults to the configured credentials file)"),
                    .text("url", "u", "URL of the local API"),
                    .toggle("interactive", "i", "interfactive mode to enter the password"),
                    .toggle("auto", "a", "automatically generate password (and username if not provided)"),
                    .toggle("force", nil, "will force add the machine if it already exists"),
                    .text("scope", nil, "what it may do: full, or alerts (submit alerts and read, nothing else)"),
                ]
            ) { try MachineAddition($0).run() },
            Command(
                name: "delete", aliases: ["remove"], summary: "delete machine(s) by name", argumentsUsage: "NAME...",
                arguments: .atLeast(1),
                flags: [.toggle("ignore-missing", nil, "don't print errors if one or more machines don't exist")],
                completion: Candidates(MachineCommands.names)
            ) { try MachineCommands.delete($0) },
            Command(name: "list", summary: "list all machines in the database") { try MachineReports.list($0) },
            Command(
                name: "inspect", summary: "inspect a machine by name", argumentsUsage: "[machine_name]",
                arguments: .exactly(1), flags: [.toggle("hub", "H", "show hub state")],
                completion: Candidates(MachineCommands.names)
            ) { try MachineReports.inspect($0) },
            Command(
                name: "prune", summary: "prune multiple machines from the database",
                flags: [
                    .duration(
                        "duration", "d", "duration of time since validated machine last heartbeat", default: "10m"),
                    .toggle("not-validated-only", nil, "only prune machines that are not validated"),
                    .toggle("force", nil, "force prune without asking for confirmation"),
                ]
            ) { try MachineReports.prune($0) },
            Command(
                name: "scope", summary: "show or set what a machine may do: full, or alerts only",
                argumentsUsage: "NAME [full|alerts]", arguments: .atLeast(1),
                completion: Candidates(MachineCommands.names)
            ) { try MachineCommands.scope($0) },
            Command(
                name: "validate", summary: "validate a machine to access the local API", argumentsUsage: "NAME",
                arguments: .exactly(1), completion: Candidates(MachineCommands.names)
            ) { try MachineCommands.validate($0) },
        ])
}

enum MachineCommands {
    static func names(_ call: Invocation) throws -> [String] {
        try MachineQueries.all(in: try call.database()).map(\.machineID)
    }

    static func delete(_ call: Invocation) throws {
        let database = try call.database()
        for name in call.words {
            if try MachineQueries.delete(name, in: database) {
                call.info("machine '\(name)' deleted successfully")
            } else if !call.flags.isOn("ignore-missing") {
                call.terminal.log(.error, "unable to delete machine: '\(name)' does not exist")
            }
        }
    }

    /// The limit belongs to the name: it may be set before there is such a machine, and outlives it.
    static func scope(_ call: Invocation) throws {
        let (name, database) = (call.words[0], try call.database())
        guard call.words.count <= 2 else {
            throw CommandError("please give a machine's name, and its scope to set it", showsHelp: true)
        }
        guard call.words.count == 2 else {
            let scope = try MachineQueries.scopes(in: database)[name] ?? .full
            return call.terminal.print(scope.rawValue)
        }
        let scope = try scope(from: call.words[1])
        try database.transaction { () throws(StoreError) in
            try MachineQueries.setScope(scope, of: name, in: database)
        }
        call.info("machine '\(name)' may now do: \(scope.summary)")
    }

    static func scope(from text: String) throws -> MachineScope {
        guard let scope = MachineScope(rawValue: text) else {
            throw CommandError("unknown scope '\(text)': it is full or alerts")
        }
        return scope
    }

    static func validate(_ call: Invocation) throws {
        let name = call.words[0]
        guard try MachineQueries.validate(name, at: .now(), in: try call.database()) else {
            throw CommandError("unable to validate machine '\(name)': machine not found")
        }
        call.info("machine '\(name)' validated successfully")
    }
}

extension MachineScope {
    var summary: String {
        switch self {
        case .full: "everything"
        case .alerts: "submit alerts and read, nothing else"
        }
    }
}
