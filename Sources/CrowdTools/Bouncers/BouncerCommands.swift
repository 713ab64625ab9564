import CrowdCore
import CrowdStore

extension Command {
    /// `cscli bouncers`: works on the database (surface facts A.5).
    static let bouncers = Command(
        name: "bouncers", aliases: ["bouncer"], summary: "Manage bouncers [requires local API]",
        subcommands: [
            Command(
                name: "add", summary: "add a single bouncer to the database", argumentsUsage: "NAME",
                arguments: .exactly(1), flags: [.text("key", "k", "api key for the bouncer")]
            ) { try BouncerCommands.add($0) },
            Command(
                name: "delete", aliases: ["remove"], summary: "delete bouncer(s) from the database",
                argumentsUsage: "NAME...", arguments: .atLeast(1),
                flags: [.toggle("ignore-missing", nil, "don't print errors if one or more bouncers don't exist")]
            ) { try BouncerCommands.delete($0) },
            Command(name: "list", summary: "list all bouncers within the database") { try BouncerCommands.list($0) },
        ])
}

enum BouncerCommands {
    static func add(_ call: Invocation) throws {
        let name = call.words[0]
        let key = call.flags.nonEmpty("key") ?? Base64.encode(SecureRandom.bytes(32), padded: false)
        let database = try call.database()
        guard try BouncerQueries.find(name, in: database) == nil else {
            throw CommandError("unable to create bouncer: bouncer \(name) already exists")
        }
        let bouncer = BouncerRecord(name: name, keyHash: BouncerRecord.hash(ofKey: key))
        _ = try BouncerQueries.insert(bouncer, at: .now(), in: database)
        switch call.output {
        case .human:
            call.print(
                "API key for '\(name)':\n\n   \(key)\n\nPlease keep this key since you will not be able to retrieve it!"
            )
        case .raw: call.terminal.print(key, terminator: "")
        case .json: call.terminal.print(JSON.string(key).compact, terminator: "")
        }
    }

    static func delete(_ call: Invocation) throws {
        let database = try call.database()
        for name in call.words { try delete(name, from: database, call) }
    }

    private static func delete(_ name: String, from database: SQLiteConnection, _ call: Invocation) throws {
        guard let bouncer = try BouncerQueries.find(name, in: database) else {
            if call.flags.isOn("ignore-missing") { return }
            throw CommandError("unable to delete bouncer \(name): 'bouncer \(name) not found'")
        }
        if bouncer.authType == "api-key" && bouncer.isAutoCreated {
            return call.terminal.log(
                .warning,
                "bouncer '\(name)' is auto-created and cannot be deleted, delete its parent instead")
        }
        var doomed = [bouncer]
        if bouncer.authType == "api-key" {
            doomed += try BouncerQueries.all(in: database).filter {
                $0.isAutoCreated && $0.keyHash == bouncer.keyHash && $0.name.hasPrefix("\(name)@")
            }
        }
        try database.transaction { () throws(StoreError) in
            for bouncer in doomed { try BouncerQueries.delete(id: bouncer.id, in: database) }
        }
        call.info("bouncer '\(name)' deleted successfully")
    }

    static func list(_ call: Invocation) throws {
        let bouncers = try BouncerQueries.all(in: try call.database())
        switch call.output {
        case .human:
            var table = Table(["Name", "IP Address", "Valid", "Last API pull", "Type", "Version", "Auth Type"])
            table.rows = bouncers.map { bouncer in
                [
                    bouncer.name, bouncer.ipAddress, bouncer.isRevoked ? "🚫" : "✔️",
                    bouncer.lastPull?.rfc3339 ?? "", bouncer.type, bouncer.version, bouncer.authType,
                ]
            }
            call.terminal.print(table.text(.light), terminator: "")
        case .raw:
            call.terminal.print(
                CSV.line(["name", "ip", "revoked", "last_pull", "type", "version", "auth_type"]), terminator: "")
            for bouncer in bouncers {
                let cells = [
                    bouncer.name, bouncer.ipAddress, bouncer.isRevoked ? "pending" : "validated",
                    bouncer.lastPull?.rfc3339 ?? "", bouncer.type, bouncer.version, bouncer.authType,
                ]
                call.terminal.print(CSV.line(cells), terminator: "")
            }
        case .json: call.print(JSON.array(bouncers.map(json)).pretty)
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

extension ClientSystem {
    /// `name/version`, `?` where unknown.
    var text: String {
        osName.isEmpty && osVersion.isEmpty ? "?" : "\(osName)/\(osVersion)"
    }
    var flags: [String] { featureFlags.split(separator: ",").map { String($0) } }
}
