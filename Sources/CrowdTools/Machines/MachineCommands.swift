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
                ]
            ) { try MachineAddition($0).run() },
            Command(
                name: "delete", aliases: ["remove"], summary: "delete machine(s) by name", argumentsUsage: "NAME...",
                arguments: .atLeast(1),
                flags: [.toggle("ignore-missing", nil, "don't print errors if one or more machines don't exist")]
            ) { try MachineCommands.delete($0) },
            Command(name: "list", summary: "list all machines in the database") { try MachineCommands.list($0) },
            Command(
                name: "validate", summary: "validate a machine to access the local API", argumentsUsage: "NAME",
                arguments: .exactly(1)
            ) { try MachineCommands.validate($0) },
        ])
}

enum MachineCommands {
    static func delete(_ call: Invocation) throws {
        let database = try call.database()
        for name in call.words {
            if try MachineQueries.delete(name, in: database) {
                call.info("machine '\(name)' deleted successfully")
            } else if !call.flags.isOn("ignore-missing") {
                call.terminal.log(
                    .error, "unable to delete machine: unable to delete machine \(name): machine not found")
            }
        }
    }

    static func validate(_ call: Invocation) throws {
        let name = call.words[0]
        guard try MachineQueries.validate(name, at: .now(), in: try call.database()) else {
            throw CommandError("unable to validate machine '\(name)': machine not found")
        }
        call.info("machine '\(name)' validated successfully")
    }

    static func list(_ call: Invocation) throws {
        let machines = try MachineQueries.all(in: try call.database())
        switch call.output {
        case .human:
            var table = Table([
                "Name", "IP Address", "Last Update", "Status", "Version", "OS", "Auth Type", "Last Heartbeat",
            ])
            table.rows = machines.map { machine in
                [
                    machine.machineID, machine.ipAddress, machine.updatedAt.rfc3339, machine.isValidated ? "✔️" : "🚫",
                    machine.version, machine.system.text, machine.authType, heartbeat(machine),
                ]
            }
            call.terminal.print(table.text(.light), terminator: "")
        case .raw: printRaw(machines, call)
        case .json: call.print(JSON.array(machines.map(json)).pretty)
        }
    }

    /// Time since the last sign of life, with a warning sign when it is long ago.
    private static func heartbeat(_ machine: MachineRecord) -> String {
        guard let last = machine.lastHeartbeat else { return "-" }
        let elapsed = (Timestamp.now() - last).roundedToSeconds
        return elapsed > .seconds(120) ? "⚠️ \(elapsed)" : elapsed.description
    }

    private static func printRaw(_ machines: [MachineRecord], _ call: Invocation) {
        let header = [
            "machine_id", "ip_address", "updated_at", "validated", "version", "auth_type", "last_heartbeat", "os",
        ]
        call.terminal.print(CSV.line(header), terminator: "")
        for machine in machines {
            let cells = [
                machine.machineID, machine.ipAddress, machine.updatedAt.rfc3339,
                machine.isValidated ? "true" : "false", machine.version, machine.authType, heartbeat(machine),
                machine.system.text,
            ]
            call.terminal.print(CSV.line(cells), terminator: "")
        }
    }

    private static func json(_ machine: MachineRecord) -> JSON {
        .members([
            "created_at": .string(machine.createdAt.rfc3339Nano), "updated_at": .string(machine.updatedAt.rfc3339Nano),
            "last_push": machine.lastPush.map { .string($0.rfc3339Nano) } ?? .null,
            "last_heartbeat": machine.lastHeartbeat.map { .string($0.rfc3339Nano) } ?? .null,
            "machineId": .string(machine.machineID), "ipAddress": .string(machine.ipAddress),
            "version": .string(machine.version), "isValidated": .bool(machine.isValidated),
            "auth_type": .string(machine.authType), "os": .string(machine.system.text),
            "featureflags": .array(machine.system.flags.map { .string($0) }),
            "datasources": (try? JSON.parse(Array(machine.dataSources.utf8))) ?? .object([]),
        ])
    }
}
