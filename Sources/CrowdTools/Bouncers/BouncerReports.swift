import CrowdCore
import CrowdStore

/// `cscli bouncers list`, `inspect` and `prune`.
enum BouncerReports {
    static func list(_ call: Invocation) throws {
        let bouncers = try BouncerQueries.all(in: try call.database())
        switch call.output {
        case .human: call.terminal.print(table(of: bouncers).text(.light), terminator: "")
        case .raw:
            let header = ["name", "ip", "revoked", "last_pull", "type", "version", "auth_type"]
            call.print(
                csv: [header]
                    + bouncers.map { bouncer in
                        [
                            bouncer.name, bouncer.ipAddress, bouncer.isRevoked ? "pending" : "validated",
                            bouncer.lastPull?.rfc3339 ?? "", bouncer.type, bouncer.version, bouncer.authType,
                        ]
                    })
        case .json: call.print(JSON.array(bouncers.map(json)).pretty)
        }
    }

    private static func table(of bouncers: [BouncerRecord]) -> Table {
        var table = Table(["Name", "IP Address", "Valid", "Last API pull", "Type", "Version", "Auth Type"])
        table.rows = bouncers.map { bouncer in
            [
                bouncer.name, bouncer.ipAddress, bouncer.isRevoked ? "🚫" : "✔️", bouncer.lastPull?.rfc3339 ?? "",
                bouncer.type, bouncer.version, bouncer.authType,
            ]
        }
        return table
    }

    static func inspect(_ call: Invocation) throws {
        let name = call.words[0]
        guard let bouncer = try BouncerQueries.find(name, in: try call.database()) else {
            throw CommandError("unable to read bouncer data '\(name)': ent: bouncer not found")
        }
        switch call.output {
        case .human:
            var table = Table([], title: "Bouncer: \(name)")
            table.rows = facts(of: bouncer)
            call.terminal.print(table.text(.light), terminator: "")
        case .json: call.print(json(bouncer).pretty)
        case .raw: throw CommandError("output format 'raw' not supported for this command")
        }
    }

    private static func facts(of bouncer: BouncerRecord) -> [[String]] {
        [
            ["Created At", bouncer.createdAt.rfc3339], ["Last Update", bouncer.updatedAt.rfc3339],
            ["Revoked?", String(bouncer.isRevoked)], ["IP Address", bouncer.ipAddress], ["Type", bouncer.type],
            ["Version", bouncer.version], ["Last Pull", bouncer.lastPull?.rfc3339 ?? ""],
            ["Auth type", bouncer.authType], ["OS", bouncer.system.text],
            ["Auto Created", String(bouncer.isAutoCreated)],
        ] + bouncer.system.flags.map { ["Feature Flags", $0] }
    }

    /// Those that pulled once, but not for long; one that never pulled counts from when it was made.
    static func prune(_ call: Invocation) throws {
        let database = try call.database()
        let pruning = Pruning(call: call, plural: "bouncers")
        let duration = call.flags.duration("duration") ?? .seconds(3600)
        guard pruning.mayBe(duration, atLeast: 120, of: "bouncers") else { return }
        let limit = Timestamp.now() - duration
        let idle = try BouncerQueries.all(in: database).filter { ($0.lastPull ?? $0.createdAt) < limit }
        try pruning.run(table: table(of: idle), count: idle.count) {
            try database.transaction { () throws(StoreError) in
                for bouncer in idle { try BouncerQueries.delete(id: bouncer.id, in: database) }
            }
        }
    }

    private static func json(_ bouncer: BouncerRecord) -> JSON {
        .members([
            "created_at": .string(bouncer.createdAt.rfc3339Nano), "updated_at": .string(bouncer.updatedAt.rfc3339Nano),
            "name": .string(bouncer.name), "revoked": .bool(bouncer.isRevoked),
            "ip_address": .string(bouncer.ipAddress), "type": .string(bouncer.type),
            "version": .string(bouncer.version),
            "last_pull": bouncer.lastPull.map { .string($0.rfc3339Nano) } ?? .null,
            "auth_type": .string(bouncer.authType), "os": .string(bouncer.system.text),
            "featureflags": .array(bouncer.system.flags.map { .string($0) }),
            "auto_created": .bool(bouncer.isAutoCreated),
        ])
    }
}
