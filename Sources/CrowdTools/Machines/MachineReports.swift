import CrowdCore
import CrowdStore

/// `cscli machines list`, `inspect` and `prune`.
enum MachineReports {
    static func list(_ call: Invocation) throws {
        let database = try call.database()
        let machines = try MachineQueries.all(in: database)
        let scopes = try MachineQueries.scopes(in: database)
        switch call.output {
        case .human: call.terminal.print(table(of: machines, scopes).text(.light), terminator: "")
        case .raw:
            let header = [
                "machine_id", "ip_address", "updated_at", "validated", "version", "auth_type", "last_heartbeat", "os",
            ]
            call.print(
                csv: [header]
                    + machines.map { machine in
                        [
                            machine.machineID, machine.ipAddress, machine.updatedAt.rfc3339,
                            String(machine.isValidated), machine.version, machine.authType, heartbeat(machine),
                            machine.system.text,
                        ]
                    })
        case .json: call.print(JSON.array(machines.map { json($0, scope: scopes[$0.machineID]) }).pretty)
        }
    }

    /// With a column for scopes where there are any: who has set none sees the reference's table.
    private static func table(of machines: [MachineRecord], _ scopes: [String: MachineScope]) -> Table {
        var table = table(of: machines)
        guard machines.contains(where: { scopes[$0.machineID] != nil }) else { return table }
        table.header.append("Scope")
        for (index, machine) in machines.enumerated() {
            table.rows[index].append((scopes[machine.machineID] ?? .full).rawValue)
        }
        return table
    }

    private static func table(of machines: [MachineRecord]) -> Table {
        var table = Table([
            "Name", "IP Address", "Last Update", "Status", "Version", "OS", "Auth Type", "Last Heartbeat",
        ])
        table.rows = machines.map { machine in
            [
                machine.machineID, machine.ipAddress, machine.updatedAt.rfc3339, machine.isValidated ? "✔️" : "🚫",
                machine.version, machine.system.text, machine.authType, heartbeat(machine),
            ]
        }
        return table
    }

    /// Time since the last sign of life, with a warning sign when it is long ago.
    private static func heartbeat(_ machine: MachineRecord) -> String {
        guard let last = machine.lastHeartbeat else { return "-" }
        let elapsed = (Timestamp.now() - last).roundedToSeconds
        return elapsed > .seconds(120) ? "⚠️ \(elapsed)" : elapsed.description
    }

    // MARK: Inspect

    static func inspect(_ call: Invocation) throws {
        let (name, database) = (call.words[0], try call.database())
        guard let machine = try MachineQueries.find(name, in: database) else {
            call.terminal.log(.warning, "QueryMachineByID : ent: machine not found")
            throw CommandError("unable to read machine data '\(name)': user '\(name)': user doesn't exist")
        }
        if call.flags.isOn("hub") { return printHub(of: machine, call) }
        let metrics = try MachineMetrics(of: name, in: database)
        let scope = try MachineQueries.scopes(in: database)[name]
        switch call.output {
        case .human:
            var table = Table([], title: "Machine: \(name)")
            table.rows = facts(of: machine) + (scope.map { [["Scope", $0.rawValue]] } ?? [])
            call.terminal.print(table.text(.light), terminator: "")
            for table in metrics.tables { call.terminal.print(table.text(.light), terminator: "") }
        case .json: call.print(json(machine, metrics: metrics, scope: scope).pretty)
        case .raw: throw CommandError("output format 'raw' not supported for this command")
        }
    }

    private static func facts(of machine: MachineRecord) -> [[String]] {
        [
            ["IP Address", machine.ipAddress], ["Created At", machine.createdAt.rfc3339],
            ["Last Update", machine.updatedAt.rfc3339],
            ["Last Heartbeat", machine.lastHeartbeat?.rfc3339 ?? ""], ["Validated?", String(machine.isValidated)],
            ["CrowdSec version", machine.version], ["OS", machine.system.text], ["Auth type", machine.authType],
        ]
            + members(of: machine.dataSources).map { ["Datasources", "\($0.key): \($0.value.compact)"] }
            + machine.system.flags.map { ["Feature Flags", $0] }
            + hubItems(of: machine).filter { $0.type == "collections" }.map { ["Collections", $0.name] }
    }

    private static func printHub(of machine: MachineRecord, _ call: Invocation) {
        let items = hubItems(of: machine)
        if call.output == .json {
            return call.print(((try? JSON.parse(Array(machine.hubState.utf8))) ?? .object([])).pretty)
        }
        if call.output == .raw {
            return call.print(
                csv: [["type", "name", "status", "version"]] + items.map { [$0.type, $0.name, $0.status, $0.version] })
        }
        for type in items.map(\.type).reduce(into: [String](), { if !$0.contains($1) { $0.append($1) } }) {
            var table = Table(["Name", "Status", "Version"], title: type.uppercased())
            table.rows = items.filter { $0.type == type }.map { [$0.name, $0.status, $0.version] }
            call.terminal.print(table.text(.light), terminator: "")
        }
    }

    private static func hubItems(of machine: MachineRecord)
        -> [(type: String, name: String, status: String, version: String)]
    {
        members(of: machine.hubState).flatMap { type in
            (type.value.array ?? []).map { item in
                (
                    type.key, item["name"]?.string ?? "", item["status"]?.string ?? "", item["version"]?.string ?? ""
                )
            }
        }
    }

    private static func members(of text: String) -> [JSONMember] {
        guard case .object(let members)? = try? JSON.parse(Array(text.utf8)) else { return [] }
        return members
    }

    // MARK: Prune

    static func prune(_ call: Invocation) throws {
        let database = try call.database()
        let pruning = Pruning(call: call, plural: "machines")
        let duration = call.flags.duration("duration") ?? .seconds(600)
        let onlyPending = call.flags.isOn("not-validated-only")
        guard onlyPending || pruning.mayBe(duration, atLeast: 60, of: "machines") else { return }
        let limit = Timestamp.now() - duration
        let doomed = try MachineQueries.all(in: database).filter { machine in
            !machine.isValidated || (!onlyPending && (machine.lastHeartbeat ?? machine.createdAt) < limit)
        }
        try pruning.run(table: table(of: doomed), count: doomed.count) {
            try database.transaction { () throws(StoreError) in
                for machine in doomed { _ = try MachineQueries.delete(machine.machineID, in: database) }
            }
        }
    }

    /// As the reference's: what is empty or false is left out where it does so.
    private static func json(
        _ machine: MachineRecord, metrics: MachineMetrics? = nil, scope: MachineScope? = nil
    ) -> JSON {
        var members: [JSONMember] = [
            JSONMember("created_at", .string(machine.createdAt.rfc3339Nano)),
            JSONMember("updated_at", .string(machine.updatedAt.rfc3339Nano)),
            JSONMember("last_push", machine.lastPush.map { .string($0.rfc3339Nano) } ?? .null),
            JSONMember("last_heartbeat", machine.lastHeartbeat.map { .string($0.rfc3339Nano) } ?? .null),
            JSONMember("machineId", .string(machine.machineID)), JSONMember("ipAddress", .string(machine.ipAddress)),
            JSONMember("version", .string(machine.version)), JSONMember("auth_type", .string(machine.authType)),
            JSONMember("os", .string(machine.system.text)),
            JSONMember("featureflags", .array(machine.system.flags.map { .string($0) })),
            JSONMember("datasources", .object(self.members(of: machine.dataSources))),
        ]
        if machine.isValidated { members.append(JSONMember("isValidated", .bool(true))) }
        if let scope { members.append(JSONMember("scope", .string(scope.rawValue))) }
        if let metrics { members.append(JSONMember("metrics", metrics.json)) }
        return .object(members)
    }
}
